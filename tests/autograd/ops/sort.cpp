#include "ff/autograd/ops/sort.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/support/errors.h"

using namespace ff;
using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;

TEST_CASE("sort: values and where they stood, along either dimension") {
  const Tensor x = reshape(Tensor::from({3.0f, 1.0f, 2.0f, 0.0f, 5.0f, 4.0f}), {2, 3});
  const auto rows = sort(x), columns = sort(x, 0, true);
  CHECK(rows.values.to_vector<float>() == Floats{1, 2, 3, 0, 4, 5});
  CHECK(rows.indices.to_vector<std::int64_t>() == Indices{1, 2, 0, 0, 2, 1});
  CHECK(rows.indices.dtype() == i64);
  CHECK(columns.values.to_vector<float>() == Floats{3, 5, 4, 0, 1, 2});
  CHECK(columns.indices.to_vector<std::int64_t>() == Indices{0, 1, 1, 1, 0, 0});
  CHECK(argsort(x, 0, true).to_vector<std::int64_t>() == columns.indices.to_vector<std::int64_t>());
}

TEST_CASE("sort and topk: ties keep their order, NaN is the largest") {
  const Tensor x = Tensor::from({1.0f, NAN, 1.0f, 0.0f, 1.0f});
  CHECK(argsort(x).to_vector<std::int64_t>() == Indices{3, 0, 2, 4, 1});
  CHECK(argsort(x, 0, true).to_vector<std::int64_t>() == Indices{1, 0, 2, 4, 3});
  CHECK(topk(x, 3).indices.to_vector<std::int64_t>() == Indices{1, 0, 2});
  CHECK(topk(x, 2, 0, false).indices.to_vector<std::int64_t>() == Indices{3, 0});
}

TEST_CASE("sort and topk of every dtype, of scalars, of nothing") {
  for (DType dtype : {f32, f64, i32, i64, u8, boolean}) {
    const Tensor x = cast(Tensor::from({1.0f, 0.0f, 1.0f}), dtype);
    CHECK(sort(x).values.dtype() == dtype);
    CHECK(sort(x).values.to_vector<int>() == std::vector<int>{0, 1, 1});
    CHECK(topk(x, 1).values.dtype() == dtype);
  }
  const auto scalar = sort(Tensor::scalar(3));
  CHECK(scalar.values.item<float>() == 3);
  CHECK(scalar.indices.item<std::int64_t>() == 0);
  CHECK(scalar.indices.rank() == 0);
  CHECK(argsort(Tensor::scalar(3)).rank() == 0);
  CHECK(topk(Tensor::scalar(3), 1, 0).values.item<float>() == 3);
  CHECK(topk(zeros({2, 3}), 0).values.shape() == Shape{2, 0});
  CHECK(sort(zeros({0, 3}), 0).indices.shape() == Shape{0, 3});
}

TEST_CASE("sort: gradients go back to where the values stood") {
  const Tensor x = Tensor::from({3.0f, 1.0f, 2.0f}).requires_grad_();
  sum(sort(x).values * Tensor::from({10.0f, 20.0f, 30.0f})).backward();
  CHECK(x.grad().to_vector<float>() == Floats{30, 10, 20});
  x.set_grad({});
  sum(topk(x, 2).values * Tensor::from({10.0f, 20.0f})).backward();
  CHECK(x.grad().to_vector<float>() == Floats{10, 0, 20});
}

TEST_CASE("sort and topk say what is wrong") {
  CHECK(test::contains(test::error_of([] { sort(zeros({2}), 1); }), {"[sort]", "dimension out of range: 1"}));
  CHECK(test::contains(test::error_of([] { argsort(zeros({2}), -2); }), {"[argsort]", "out of range: -2"}));
  CHECK(test::contains(test::error_of([] {
                         topk(zeros({2, 3}), 4);
                       }),
                       {"[topk]", "4 entries asked for along dimension -1 of shape (2, 3)"}));
  CHECK(test::contains(test::error_of([] { topk(zeros({2, 3}), -1, 0); }), {"[topk]", "-1 entries"}));
  CHECK(test::contains(test::error_of([] { topk(Tensor::scalar(1), 0); }), {"[topk]", "0 entries"}));
}
