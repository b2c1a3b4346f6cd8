#include "ff/nn/norm.h"

#include <cmath>
#include <optional>

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

TEST_CASE("RMSNorm, GroupNorm and InstanceNorm pass their parameters on") {
  manual_seed(2);
  const Tensor x = randn({2, 6, 5});
  nn::RMSNorm rms(5);
  CHECK(rms.parameters().size() == 1);
  rms.weight.assign(rand({5}));
  CHECK(rms(x).to_vector<float>() == rms_norm(x, {5}, rms.weight).to_vector<float>());
  CHECK(nn::RMSNorm({6, 5}, {.eps = 0.5, .affine = false})(x).to_vector<float>() ==
        rms_norm(x, {6, 5}, {}, 0.5).to_vector<float>());
  nn::GroupNorm group(3, 6, {.eps = 0.1});
  group.weight.assign(rand({6}));
  group.bias.assign(rand({6}));
  CHECK(group(x).to_vector<float>() == group_norm(x, 3, group.weight, group.bias, 0.1).to_vector<float>());
  CHECK_THROWS_WITH_AS(nn::GroupNorm(4, 6), doctest::Contains("4 groups do not divide 6 channels"), Error);
  nn::InstanceNorm1d instance(6);
  CHECK(instance.parameters().empty());
  CHECK(instance(x).to_vector<float>() == instance_norm(x).to_vector<float>());
  CHECK(instance(select(x, 0, 1)).shape() == Shape{6, 5});
  nn::InstanceNorm2d affine(6, {.affine = true});
  CHECK(affine(randn({2, 6, 3, 2})).shape() == Shape{2, 6, 3, 2});
  CHECK(affine.parameters().size() == 2);
  CHECK_THROWS_WITH_AS(affine(randn({2, 5, 3, 2})), doctest::Contains("[InstanceNorm2d] x must be (B, 6, H, W)"),
                       Error);
}

TEST_CASE("BatchNorm: statistics are buffers, kept in training and used in evaluation") {
  manual_seed(3);
  nn::BatchNorm2d norm(3);
  CHECK(norm.buffers().size() == 3);
  const TensorMap state = norm.state_dict();
  for (const char* name : {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})
    CHECK(state.count(name) == 1);
  const Tensor x = randn({4, 3, 5, 2}) * 2.0 + 1.0;
  const Tensor mean = zeros({3}), var = ones({3});
  CHECK(norm(x).to_vector<float>() == batch_norm(x, mean, var, norm.weight, norm.bias, true).to_vector<float>());
  CHECK(norm.running_mean.to_vector<float>() == mean.to_vector<float>());
  CHECK(norm.running_var.to_vector<float>() == var.to_vector<float>());
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 1);
  norm.eval();
  CHECK(norm(x).to_vector<float>() == batch_norm(x, mean, var, norm.weight, norm.bias).to_vector<float>());
  CHECK(norm.num_batches_tracked.item<std::int64_t>() == 1);
  nn::BatchNorm2d other(3);
  other.load_state_dict(state);
  CHECK(other.running_var.to_vector<float>() == var.to_vector<float>());
  CHECK_THROWS_WITH_AS(norm(zeros({4, 3, 5})), doctest::Contains("[BatchNorm2d] x must be (B, C, H, W), of 3 channels"),
                       Error);
}

TEST_CASE("BatchNorm: a plain average of all batches, and no statistics at all") {
  nn::BatchNorm1d norm(1, {.momentum = std::nullopt, .affine = false});
  CHECK(norm.parameters().empty());
  for (float centre : {1.0f, 2.0f, 6.0f}) norm(Tensor::from(std::vector<float>{centre - 1, centre + 1}, {2, 1}));
  CHECK(norm.running_mean.item<float>() == doctest::Approx(3));
  CHECK(norm.running_var.item<float>() == doctest::Approx(2));
  nn::BatchNorm1d untracked(1, {.track_running_stats = false});
  CHECK(untracked.buffers().empty());
  untracked.eval();
  const Tensor y = untracked(Tensor::from(std::vector<float>{5, 7}, {2, 1}));
  CHECK(y.to_vector<float>()[1] == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("LayerNorm: of_sum is the sum and its norm") {
  nn::LayerNorm norm(5);
  const Tensor x = randn({2, 3, 5}), residual = randn({2, 3, 5});
  const auto [total, normal] = norm.of_sum(x, residual);
  CHECK(total.to_vector<float>() == (x + residual).to_vector<float>());
  CHECK(normal.to_vector<float>() == norm(x + residual).to_vector<float>());
  CHECK_THROWS_WITH_AS(norm.of_sum(x, zeros({3, 5})), doctest::Contains("[add_layer_norm] x of shape (2, 3, 5)"),
                       Error);
}
