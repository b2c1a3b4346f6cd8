#include "ff/nn/embedding.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("Embedding: rows by index, and their gradient") {
  manual_seed(1);
  nn::Embedding table(5, 3);
  const Tensor index = Tensor::from(std::vector<std::int64_t>{4, 0, 4, 2}, {2, 2});
  const Tensor y = table(index);
  CHECK(y.shape() == Shape{2, 2, 3});
  const auto w = table.weight.to_vector<float>(), rows = y.to_vector<float>();
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rows[i] == w[12 + i]);
    CHECK(rows[3 + i] == w[i]);
    CHECK(rows[9 + i] == w[6 + i]);
  }
  sum(y).backward();
  CHECK(table.weight.grad().to_vector<float>() == std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2});
  CHECK_THROWS_AS(table(Tensor::from(std::vector<std::int64_t>{5}, {1})), Error);
  CHECK_THROWS_AS(nn::Embedding(0, 3), Error);
}

TEST_CASE("Embedding: starts standard normal") {
  manual_seed(2);
  nn::Embedding table(100, 100);
  const double mean = ff::mean(table.weight).item<double>(), var = ff::var(table.weight).item<double>();
  CHECK(std::abs(mean) < 0.05);
  CHECK(std::abs(var - 1) < 0.08);
}
