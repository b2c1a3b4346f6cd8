#include "ff/nn/linear.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

TEST_CASE("Linear: x weight^T + bias") {
  manual_seed(1);
  nn::Linear fc(3, 2);
  const Tensor x = randn({4, 5, 3});
  const auto y = fc(x);
  CHECK(y.shape() == Shape{4, 5, 2});
  const auto xs = x.to_vector<double>(), w = fc.weight.to_vector<double>(), b = fc.bias.to_vector<double>();
  std::vector<double> want;
  for (std::size_t row = 0; row < 20; ++row)
    for (std::size_t o = 0; o < 2; ++o) {
      double sum = b[o];
      for (std::size_t i = 0; i < 3; ++i) sum += xs[row * 3 + i] * w[o * 3 + i];
      want.push_back(sum);
    }
  const auto d = test::largest_difference(y.to_vector<float>(), want, y.shape());
  CHECK_MESSAGE(d.relative < 1e-6, d.str());
}

TEST_CASE("Linear: starts uniform in +-1 / sqrt(in)") {
  manual_seed(2);
  nn::Linear fc(400, 1000);
  for (const Tensor& tensor : {fc.weight, fc.bias}) {
    const auto values = tensor.to_vector<double>();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK(*low >= -0.05);
    CHECK(*low < -0.0495);
    CHECK(*high <= 0.05);
    CHECK(*high > 0.0495);
  }
}

TEST_CASE("Linear: without bias, and bad sizes") {
  nn::Linear fc(3, 2, {.bias = false});
  CHECK_FALSE(fc.bias.defined());
  CHECK(fc.parameters().size() == 1);
  CHECK(fc(zeros({1, 3})).to_vector<float>() == std::vector<float>(2, 0));
  CHECK_THROWS_WITH_AS(nn::Linear(0, 2), "[Linear] 0 inputs and 2 outputs; at least one of each is needed", Error);
  CHECK_THROWS_AS(fc(zeros({1, 4})), Error);
}
