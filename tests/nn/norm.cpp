#include "ff/nn/norm.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

TEST_CASE("LayerNorm: normalises rows, with its own eps, weight and bias") {
  manual_seed(1);
  const Tensor x = randn({2, 3, 8}) * 0.01 + 5.0;
  nn::LayerNorm norm(8, {.eps = 1e-2});
  CHECK(norm.weight.to_vector<float>() == std::vector<float>(8, 1));
  CHECK(norm.bias.to_vector<float>() == std::vector<float>(8, 0));
  norm.weight.assign(rand({8}));
  norm.bias.assign(rand({8}));
  const auto xs = x.to_vector<double>(), w = norm.weight.to_vector<double>(), b = norm.bias.to_vector<double>();
  std::vector<double> want(xs.size());
  for (std::size_t row = 0; row < 6; ++row) {
    double mean = 0, var = 0;
    for (std::size_t i = 0; i < 8; ++i) mean += xs[row * 8 + i] / 8;
    for (std::size_t i = 0; i < 8; ++i) var += std::pow(xs[row * 8 + i] - mean, 2) / 8;
    for (std::size_t i = 0; i < 8; ++i)
      want[row * 8 + i] = (xs[row * 8 + i] - mean) / std::sqrt(var + 1e-2) * w[i] + b[i];
  }
  const auto d = test::largest_difference(norm(x).to_vector<float>(), want, x.shape());
  CHECK_MESSAGE(d.relative < 2e-6, d.str());
}

TEST_CASE("LayerNorm: several dimensions, without parameters, and bad shapes") {
  nn::LayerNorm plain({3, 4}, {.affine = false});
  CHECK(plain.parameters().empty());
  const Tensor y = plain(rand({5, 3, 4}));
  const auto means = mean(y, {1, 2}).to_vector<double>();
  for (double m : means) CHECK(std::abs(m) < 1e-6);
  CHECK_THROWS_AS(plain(rand({5, 4, 3})), Error);
  CHECK_THROWS_AS(nn::LayerNorm(Shape{}), Error);
}
