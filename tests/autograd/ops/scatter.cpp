#include "ff/autograd/ops/scatter.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::counting;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("scatter: the last stays, x stays as it was") {
  const Tensor x = zeros({2, 3}, {.dtype = i64});
  const Tensor index = Tensor::from(Ints{1, 1, 0, 2}, {2, 2}), source = Tensor::from(Ints{7, 8, 5, 6}, {2, 2});
  CHECK(integers(scatter(x, 1, index, source)) == Ints{0, 8, 0, 5, 0, 6});
  CHECK(integers(x) == Ints(6, 0));
  CHECK(integers(scatter(x, 1, index, 4)) == Ints{0, 4, 0, 4, 0, 4});
  CHECK(integers(scatter_add(x, 1, index, source)) == Ints{0, 15, 0, 5, 0, 6});
  // Only the entries of source that index reaches, and only its part of x.
  CHECK(integers(scatter(x, 1, Tensor::from(Ints{2}, {1, 1}), counting({4, 4}) + 1)) == Ints{0, 0, 1, 0, 0, 0});
  CHECK(integers(scatter_add(ones({3, 2}, {.dtype = i64}), 0, Tensor::from(Ints{0, 2, 0}, {3, 1}), counting({3, 2}))) ==
        Ints{5, 1, 1, 1, 3, 1});
}

TEST_CASE("scatter: an entry that does not stay has no gradient") {
  Tensor x = ones({3}, {.requires_grad = true}), source = ones({4}, {.requires_grad = true});
  const Tensor y = scatter(x, 0, Tensor::from(Ints{1, 2, 1}, {3}), source);
  (y * Tensor::from({10.0f, 20.0f, 30.0f})).backward(ones({3}));
  CHECK(integers(x.grad()) == Ints{10, 0, 0});
  CHECK(integers(source.grad()) == Ints{0, 30, 20, 0});
}

TEST_CASE("scatter: of booleans and bytes, from strided tensors") {
  const Tensor mask = scatter(zeros({2, 3}, {.dtype = boolean}), 1, Tensor::from(Ints{2, 0}, {2, 1}), 1);
  CHECK(mask.dtype() == boolean);
  CHECK(integers(mask) == Ints{0, 0, 1, 1, 0, 0});
  const Tensor x = transpose(counting({3, 2}), 0, 1);  // (0 2 4), (1 3 5)
  const Tensor index = transpose(Tensor::from(Ints{0, 1}, {2, 1}), 0, 1), source = transpose(counting({2, 1}), 0, 1);
  CHECK(integers(scatter(x, 1, index, source + 9)) == Ints{9, 10, 4, 1, 3, 5});
}

TEST_CASE("index_add, index_copy, index_fill") {
  const Tensor x = counting({3, 2}), index = Tensor::from(Ints{2, 0, 2}, {3}), rows = counting({3, 2}) + 10;
  CHECK(integers(index_add(x, 0, index, rows)) == Ints{12, 14, 2, 3, 28, 31});
  CHECK(integers(index_add(x, 0, index, rows, -2)) == Ints{-24, -25, 2, 3, -44, -47});
  CHECK(integers(index_copy(x, 0, index, rows)) == Ints{12, 13, 2, 3, 14, 15});
  CHECK(integers(index_fill(x, 1, Tensor::from(Ints{1}, {1}), -1)) == Ints{0, -1, 2, -1, 4, -1});
  CHECK(integers(index_fill(x, 0, Tensor::scalar(1, i64), 7)) == Ints{0, 1, 7, 7, 4, 5});
  CHECK(integers(x) == integers(counting({3, 2})));
  Tensor a = zeros({3}, {.requires_grad = true}), b = ones({2}, {.requires_grad = true});
  index_add(a, 0, Tensor::from(Ints{1, 1}, {2}), b, 3).backward(Tensor::from({1.0f, 2.0f, 4.0f}));
  CHECK(integers(a.grad()) == Ints{1, 2, 4});
  CHECK(integers(b.grad()) == Ints{6, 6});
}

TEST_CASE("scatter and its kin: errors") {
  const Tensor x = zeros({2, 3}), index = zeros({2, 1}, {.dtype = i64}), source = zeros({2, 1});
  CHECK(error_of([&] {
          scatter(x, 1, index, cast(source, f64));
        }).find("[scatter] the dtypes differ: f64 put into f32") == 0);
  CHECK(error_of([&] {
          scatter(x, 1, full({2, 1}, 3, {.dtype = i64}), source);
        }).find("[scatter] index out of range: 3 (entry 0), 3 to choose from") == 0);
  CHECK(error_of([&] {
          scatter(x, 1, zeros({3, 1}, {.dtype = i64}), zeros({3, 1}));
        })
            .find("[scatter] an index of shape (3, 1) is larger than the source of shape (3, 1) or, beside dimension "
                  "1, the tensor of shape (2, 3)") == 0);
  CHECK(error_of([&] { scatter_add(x, 1, index, zeros({1, 1})); }).find("[scatter_add] an index of shape (2, 1)") == 0);
  CHECK(error_of([&] {
          scatter(x, 1, zeros({2}, {.dtype = i64}), source);
        }).find("[scatter] an index of shape (2,) and a source of shape (2, 1)") == 0);
  CHECK(error_of([&] {
          scatter_add(cast(x, u8), 1, index, cast(source, u8));
        }).find("[scatter_add] u8 cannot be summed") == 0);
  CHECK(error_of([&] {
          index_add(x, 1, zeros({2}, {.dtype = i64}), source);
        }).find("[index_add] a source of shape (2, 1) for 2 entries along dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { index_copy(x, 1, index, source); }).find("[index_copy] a 1-D index is needed") == 0);
  CHECK(error_of([&] { index_fill(x, 2, index, 0); }).find("[index_fill] dimension out of range: 2") == 0);
  CHECK(error_of([&] {
          index_add(cast(x, i64), 1, zeros({1}, {.dtype = i64}), cast(source, i64), 0.5);
        }).find("[index_add] the dtypes differ: f32 put into i64") == 0);
}

TEST_CASE("scatter: more than a task's work, the same at any thread count") {
  const std::int64_t n = 50, count = 3000, inner = 70;
  const Tensor x = randn({n, inner}), index = randint(0, n, {count, inner}), source = randn({count, inner});
  std::vector<float> want = x.to_vector<float>();
  const Ints at = integers(index);
  const std::vector<float> from = source.to_vector<float>();
  for (std::size_t j = 0; j < at.size(); ++j)
    want[static_cast<std::size_t>(at[j] * inner) + j % static_cast<std::size_t>(inner)] = from[j];
  const int before = num_threads();
  for (int threads : {1, 2, 4}) {
    set_num_threads(threads);
    CHECK(scatter(x, 0, index, source).to_vector<float>() == want);
  }
  set_num_threads(before);
}
