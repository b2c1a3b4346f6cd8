#include "ff/autograd/ops/triangle.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("tril and triu: every diagonal of every small matrix") {
  for (std::int64_t m : {0, 1, 2, 3})
    for (std::int64_t n : {0, 1, 4}) {
      const Tensor x = ones({m, n}, {.dtype = i32});
      for (std::int64_t d = -5; d <= 5; ++d) {
        Ints lower, upper;
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t j = 0; j < n; ++j) lower.push_back(j - i <= d), upper.push_back(j - i >= d);
        CHECK(integers(tril(x, d)) == lower);
        CHECK(integers(triu(x, d)) == upper);
      }
    }
}

TEST_CASE("tril and triu: what is cut off is 0, whatever it was; dtypes; errors") {
  const Tensor x = full({2, 2}, NAN);
  CHECK(triu(x, 5).to_vector<float>() == std::vector<float>(4, 0.0f));
  CHECK(tril(x, INT64_MIN).to_vector<float>() == std::vector<float>(4, 0.0f));
  CHECK(tril(ones({2, 2}, {.dtype = boolean})).dtype() == boolean);
  CHECK(integers(tril(ones({2, 2}, {.dtype = boolean}))) == Ints{1, 0, 1, 1});
  CHECK(integers(triu(ones({2, 2, 2}, {.dtype = u8}), INT64_MAX)) == Ints(8, 0));
  CHECK(error_of([] { tril(zeros({3})); }).find("[tril] matrices (.., m, n) are needed: (3,)") == 0);
}

TEST_CASE("diagonal: a view of any two dimensions") {
  const Tensor x = reshape(arange(0, 12, 1, {.dtype = i64}), {3, 4});
  CHECK(integers(diagonal(x)) == Ints{0, 5, 10});
  CHECK(integers(diagonal(x, 1)) == Ints{1, 6, 11});
  CHECK(integers(diagonal(x, 3)) == Ints{3});
  CHECK(integers(diagonal(x, -2)) == Ints{8});
  CHECK(integers(diagonal(x, 1, 1, 0)) == Ints{4, 9});
  CHECK(diagonal(x, 4).numel() == 0);
  CHECK(diagonal(x, INT64_MIN).numel() == 0);
  CHECK(diagonal(x).storage() == x.storage());
  const Tensor cube = reshape(arange(0, 24, 1, {.dtype = i64}), {2, 3, 4});
  CHECK(diagonal(cube, 0, 0, 2).shape() == Shape{3, 2});
  CHECK(integers(diagonal(cube, 0, 0, 2)) == Ints{0, 13, 4, 17, 8, 21});
  CHECK(error_of([&] { diagonal(x, 0, 1, -1); }).find("[diagonal] dimension 1 is named twice") == 0);
  CHECK(error_of([&] { diagonal(zeros({3})); }).find("[diagonal]") == 0);
}

TEST_CASE("diag_embed and diag: the adjoint and back") {
  const Tensor v = Tensor::from<std::int64_t>({1, 2});
  CHECK(integers(diag_embed(v, 1)) == Ints{0, 1, 0, 0, 0, 2, 0, 0, 0});
  CHECK(integers(diag_embed(v, -1)) == Ints{0, 0, 0, 1, 0, 0, 0, 2, 0});
  CHECK(integers(diag(diag(v, -1), -1)) == Ints{1, 2});
  const Tensor rows = reshape(arange(1, 7, 1, {.dtype = i64}), {2, 3});
  for (std::int64_t offset : {-2, -1, 0, 1, 2})
    CHECK(integers(diagonal(diag_embed(rows, offset, 0, 2), offset, 0, 2)) == integers(rows));
  CHECK(diag_embed(rows, 1, 0, 2).shape() == Shape{4, 2, 4});
  CHECK(error_of([] { diag(zeros({2, 2, 2})); }).find("[diag] a vector or a matrix is needed: (2, 2, 2)") == 0);
  CHECK(error_of([] { diag_embed(zeros({})); }).find("[diag_embed] a scalar") == 0);
  CHECK(error_of([] { diag_embed(zeros({2}), INT64_MAX); }).find("has more elements than can be counted") !=
        std::string::npos);
}
