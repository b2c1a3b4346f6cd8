#include "ff/autograd/ops/indexing.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"

using namespace ff;
using test::counting;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("gather: an index smaller than the tensor beside dim") {
  const Tensor x = counting({3, 4});
  CHECK(integers(gather(x, 1, Tensor::from(Ints{3, 0}, {2, 1}))) == Ints{3, 4});
  CHECK(integers(gather(x, 0, Tensor::from(Ints{2, 0, 1, 1, 1, 2}, {2, 3}))) == Ints{8, 1, 6, 4, 5, 10});
  CHECK(integers(gather(transpose(x, 0, 1), 0, Tensor::from(Ints{3, 0}, {1, 2}))) == Ints{3, 4});
  CHECK(error_of([&] {
          gather(x, 1, zeros({4, 1}, {.dtype = i64}));
        }).find("[gather] an index of shape (4, 1) does not fit (3, 4) beside dimension 1") == 0);
  CHECK(error_of([&] { gather(x, 1, zeros({3}, {.dtype = i64})); }).find("[gather] an index of shape (3,)") == 0);
  CHECK(error_of([&] { gather(x, 1, full({1, 1}, -1, {.dtype = i64})); }).find("[gather] index out of range: -1") == 0);
}

TEST_CASE("take and take_along_dim") {
  const Tensor x = counting({2, 3});
  CHECK(integers(take(transpose(x, 0, 1), Tensor::from(Ints{1, 5}, {2, 1}))) == Ints{3, 5});
  CHECK(take(x, zeros({2, 2}, {.dtype = i64})).shape() == Shape{2, 2});
  CHECK(error_of([&] { take(x, Tensor::from(Ints{6}, {1})); }).find("[take] index out of range: 6") == 0);
  CHECK(integers(take_along_dim(x, argmax(x, 1, true), 1)) == Ints{2, 5});
  CHECK(integers(take_along_dim(x, Tensor::from(Ints{1, 0}, {2, 1}), 0)) == Ints{3, 4, 5, 0, 1, 2});
  CHECK(integers(take_along_dim(x, Tensor::from(Ints{4}, {1}))) == Ints{4});
  CHECK(error_of([&] { take_along_dim(x, zeros({3, 1}, {.dtype = i64}), 1); }).find("[take_along_dim]") == 0);
  CHECK(error_of([&] {
          take_along_dim(x, zeros({3}, {.dtype = i64}), 1);
        }).find("[take_along_dim] an index of shape (3,) for a tensor of shape (2, 3)") == 0);
}

TEST_CASE("embedding: the padding's row is looked up, and gets no gradient") {
  const Tensor index = Tensor::from(Ints{2, 0, 2, 1}, {2, 2});
  for (std::int64_t padding : {2, -1}) {
    Tensor weight = cast(counting({3, 2}), f32).requires_grad_();
    const Tensor y = embedding(index, weight, padding);
    CHECK(integers(y) == Ints{4, 5, 0, 1, 4, 5, 2, 3});
    sum(y).backward();
    CHECK(integers(weight.grad()) == Ints{1, 1, 1, 1, 0, 0});
  }
  Tensor weight = zeros({3, 2}, {.requires_grad = true});
  sum(embedding(index, weight)).backward();
  CHECK(integers(weight.grad()) == Ints{1, 1, 1, 1, 2, 2});
  CHECK(error_of([&] { embedding(index, weight, 3); }).find("[embedding] padding_idx out of range: 3 of 3 rows") == 0);
  CHECK(error_of([&] { embedding(index, zeros({3})); }).find("[embedding] a weight of shape (V, D) is needed: (3,)") ==
        0);
}

TEST_CASE("one_hot: classes told and counted") {
  const Tensor index = Tensor::from(Ints{2, 0}, {2});
  CHECK(integers(one_hot(index)) == Ints{0, 0, 1, 1, 0, 0});
  CHECK(one_hot(index, 5).shape() == Shape{2, 5});
  CHECK(one_hot(zeros({0, 2}, {.dtype = i64}), 3).shape() == Shape{0, 2, 3});
  CHECK(integers(one_hot(Tensor::scalar(1, i32), 3)) == Ints{0, 1, 0});
  CHECK(error_of([&] { one_hot(index, 2); }).find("[one_hot] index out of range: 2 (entry 0), 2 to choose from") == 0);
  CHECK(error_of([&] {
          one_hot(zeros({0}, {.dtype = i64}));
        }).find("[one_hot] the number of classes is not told by an index of shape (0,)") == 0);
  CHECK(error_of([&] { one_hot(index, -2); }).find("[one_hot] a negative number of classes: -2") == 0);
}

TEST_CASE("index_sum: size, repeated places, errors") {
  const Tensor x = counting({2, 3});
  CHECK(integers(index_sum(x, 1, Tensor::from(Ints{3, 0, 3}, {3}), 4)) == Ints{1, 0, 0, 2, 4, 0, 0, 8});
  CHECK(error_of([&] {
          index_sum(x, 0, Tensor::from(Ints{0}, {1}), 4);
        }).find("[index_sum] an index of shape (1,) for dimension 0 of shape (2, 3)") == 0);
  CHECK(error_of([&] {
          index_sum(x, 0, Tensor::from(Ints{0, 1}, {2}), -4);
        }).find("[index_sum] a negative size: -4") == 0);
}
