#include "ff/autograd/ops/subscript.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::counting;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

namespace {

Tensor mask(const std::vector<std::uint8_t>& values, const Shape& shape) {
  return Tensor::from(values, shape).copy(boolean);
}

}  // namespace

TEST_CASE("subscript: integers, slices, ellipsis and new dimensions are views") {
  const Tensor x = counting({2, 3, 4});
  CHECK(x(1, 2, 3).item<int>() == 23);
  CHECK(x(-1).shape() == Shape{3, 4});
  CHECK(integers(x(0, Slice(), -1)) == Ints{3, 7, 11});
  CHECK(integers(x(ellipsis, 0)) == Ints{0, 4, 8, 12, 16, 20});
  CHECK(x(0, ellipsis).shape() == Shape{3, 4});
  CHECK(x(0, 1, 2, ellipsis).shape() == Shape{});
  CHECK(x(new_axis, Slice(1), ellipsis, new_axis).shape() == Shape{1, 1, 3, 4, 1});
  CHECK(integers(x(0, Slice(1, 3), Slice({}, {}, 2))) == Ints{4, 6, 8, 10});
  CHECK(integers(x(0, 0, Slice(-2))) == Ints{2, 3});
  CHECK(integers(x(0, 0, Slice({}, {}, -1))) == Ints{3, 2, 1, 0});
  CHECK(integers(x(0, 0, Slice(2, {}, -2))) == Ints{2, 0});
  CHECK(integers(x(0, 0, Slice({}, 1, -1))) == Ints{3, 2});
  CHECK(x(0, ellipsis, Slice(0, 2), new_axis).storage() == x.storage());
  CHECK(Tensor::scalar(3)(ellipsis).item<int>() == 3);
  CHECK(Tensor::scalar(3)(new_axis, ellipsis, new_axis).shape() == Shape{1, 1});
  CHECK(index(x, {}).shape() == x.shape());
  const std::size_t last = 1;
  CHECK(x(last).shape() == Shape{3, 4});
}

TEST_CASE("subscript: assigning to a view writes to the tensor") {
  const Tensor x = zeros({2, 3}, {.dtype = i64});
  x(1, Slice(1)).assign(Tensor::from<std::int64_t>({5, 6}));
  x(Slice(), 0).fill(9);
  CHECK(integers(x) == Ints{9, 0, 0, 9, 5, 6});
}

TEST_CASE("subscript: index tensors broadcast together, and where their dimensions go") {
  const Tensor x = counting({3, 4, 5});
  const Tensor i = Tensor::from<std::int64_t>({0, 2}), j = Tensor::from(Ints{1, -1, 3}, {3, 1});
  const Tensor pairs = x(i, j);  // (3, 2, 5)
  CHECK(pairs.shape() == Shape{3, 2, 5});
  CHECK(integers(pairs(1, 1)) == integers(x(2, 3)));
  CHECK(x(Slice(), i, j).shape() == Shape{3, 3, 2});
  CHECK(x(i, Slice(), j).shape() == Shape{3, 2, 4});  // apart: first
  CHECK(integers(x(i, Slice(), j)(2, 1)) == integers(x(2, Slice(), 3)));
  CHECK(x(Slice(), i).shape() == Shape{3, 2, 5});
  CHECK(x(ellipsis, i).shape() == Shape{3, 4, 2});
  CHECK(integers(x(0, 0, i)) == Ints{0, 2});
  CHECK(x(0, Slice(), i).shape() == Shape{4, 2});  // PyTorch's rule: the integer does not count
  CHECK(x(i, new_axis, j).shape() == Shape{3, 2, 1, 5});
  CHECK(integers(x(Tensor::scalar(1, i32), 0)) == Ints{20, 21, 22, 23, 24});
  CHECK(x(zeros({0}, {.dtype = i64})).shape() == Shape{0, 4, 5});
  CHECK(zeros({0, 2})(zeros({0}, {.dtype = i64})).shape() == Shape{0, 2});
  CHECK(x(i).storage() != x.storage());
}

TEST_CASE("subscript: masks") {
  const Tensor x = counting({2, 3});
  CHECK(integers(x(mask({1, 0, 0, 0, 1, 1}, {2, 3}))) == Ints{0, 4, 5});
  CHECK(integers(x(mask({0, 1}, {2}))) == Ints{3, 4, 5});
  CHECK(integers(x(Slice(), mask({1, 0, 1}, {3}))) == Ints{0, 2, 3, 5});
  CHECK(integers(x(mask({1, 1}, {2}), Tensor::from<std::int64_t>({2, 0}))) == Ints{2, 3});  // entries pair up
  CHECK(counting({2, 3, 4})(mask({1, 0, 0, 1, 1, 0}, {2, 3})).shape() == Shape{3, 4});
  CHECK(x(mask({0, 0}, {2})).shape() == Shape{0, 3});
}

TEST_CASE("subscript: gradients add up where entries are named more than once") {
  Tensor x = zeros({3, 2}, {.requires_grad = true});
  sum(x(Tensor::from<std::int64_t>({0, 2, 0, -1}), 1)).backward();
  CHECK(integers(x.grad()) == Ints{0, 2, 0, 0, 0, 2});
}

TEST_CASE("subscript: errors name the shape") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] { x(0, 0, 0); }).find("[index] too many indices: for 3 dimensions, of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(ellipsis, 0, ellipsis); }).find("[index] more than one ellipsis, of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(0, 3); }).find("[index] index out of range: 3 of dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(ellipsis, -4); }).find("[index] index out of range: -4 of dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(Slice(), Slice(0, 2, 0)); }).find("[index] a step of 0 along dimension 1 of shape (2, 3)") ==
        0);
  CHECK(error_of([&] {
          x(0, Tensor::from<std::int64_t>({0, -4}));
        }).find("[index] index out of range: -4 of dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(zeros({2})); }).find("[index] indices must be i64, i32 or boolean: f32") == 0);
  CHECK(error_of([&] {
          x(mask({1, 1, 1}, {3}));
        }).find("[index] a mask of shape (3,) at dimension 0 of shape (2, 3)") == 0);
  CHECK(error_of([&] { x(mask({1}, {})); }).find("[index] a mask of shape ()") == 0);
  CHECK(error_of([&] {
          x(Tensor::from<std::int64_t>({0, 1}), Tensor::from<std::int64_t>({0, 1, 2}));
        }).find("[index] shapes do not broadcast: (2,) and (3,)") == 0);
  CHECK(error_of([&] { x({}, 0); }).find("[index] an index was left out, of shape (2, 3)") == 0);
  CHECK(error_of([&] { Tensor::scalar(1)(0); }).find("[index] too many indices: for 1 dimensions, of shape ()") == 0);
  CHECK(error_of([&] { Tensor()(0); }).find("undefined") != std::string::npos);
}

TEST_CASE("subscript: an error names the line it was written on") {
  const int line = __LINE__ + 1;
  const std::string message = error_of([] { zeros({2})(5); });
  CHECK(message.find("subscript.cpp:" + std::to_string(line)) != std::string::npos);
}
