#include "ff/autograd/ops/join.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

namespace {

std::vector<std::int64_t> sizes(const std::vector<Tensor>& pieces) {
  std::vector<std::int64_t> result;
  for (const Tensor& t : pieces) result.push_back(t.size(0));
  return result;
}

}  // namespace

TEST_CASE("concatenate promotes, and gives each its gradient in its own dtype") {
  Tensor a = zeros({1, 2}, {.dtype = f32, .requires_grad = true});
  Tensor b = ones({2, 2}, {.dtype = f64, .requires_grad = true});
  const Tensor y = concatenate({a, b, Tensor::from(Ints{7, 8}, {1, 2})});
  CHECK(y.dtype() == f64);
  CHECK(integers(y) == Ints{0, 0, 1, 1, 1, 1, 7, 8});
  sum(y).backward();
  CHECK(a.grad().dtype() == f32);
  CHECK(b.grad().dtype() == f64);
  CHECK(error_of([] { concatenate({}); }).find("[concatenate] nothing to concatenate") == 0);
  CHECK(error_of([] {
          concatenate({zeros({2, 2}), zeros({2, 3})});
        }).find("[concatenate] shapes (2, 2) and (2, 3) differ beside dimension 0") == 0);
}

TEST_CASE("split and chunk: sizes as PyTorch's") {
  CHECK(sizes(split(arange(0, 7), 3)) == Ints{3, 3, 1});
  CHECK(sizes(split(arange(0, 6), 3)) == Ints{3, 3});
  CHECK(sizes(split(arange(0, 2), 5)) == Ints{2});
  CHECK(sizes(split(zeros({0}), 5)) == Ints{0});
  CHECK(sizes(split(arange(0, 6), {1, 0, 5})) == Ints{1, 0, 5});
  CHECK(sizes(chunk(arange(0, 7), 3)) == Ints{3, 3, 1});
  CHECK(sizes(chunk(arange(0, 6), 4)) == Ints{2, 2, 2});  // fewer than asked for
  CHECK(sizes(chunk(arange(0, 2), 5)) == Ints{1, 1});
  CHECK(sizes(chunk(zeros({0}), 3)) == Ints{0, 0, 0});
  const Tensor x = reshape(arange(0, 8), {2, 4});
  CHECK(integers(chunk(x, 2, -1)[1]) == Ints{2, 3, 6, 7});
  CHECK(chunk(x, 2, -1)[1].storage() == x.storage());
  CHECK(error_of([&] { split(x, 0); }).find("[split] pieces of size 0 of dimension 0 of shape (2, 4)") == 0);
  CHECK(error_of([&] { chunk(x, 0); }).find("[chunk] at least one piece is needed: 0") == 0);
  CHECK(error_of([&] {
          split(x, {1, 2}, 1);
        }).find("[split] pieces of (1, 2) do not make dimension 1 of shape (2, 4)") == 0);
}
