#include "ff/nn/clip.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/compare.h"

using namespace ff;

namespace {

NamedTensors with_gradients(const std::vector<Tensor>& grads) {
  NamedTensors parameters;
  for (const Tensor& grad : grads) {
    Tensor p = zeros(grad.shape(), {.dtype = grad.dtype(), .requires_grad = true});
    p.set_grad(grad);
    parameters.emplace_back(std::to_string(parameters.size()), p);
  }
  return parameters;
}

}  // namespace

TEST_CASE("clip_grad_norm: scales by max_norm / (norm + 1e-6) above max_norm") {
  auto parameters = with_gradients({Tensor::from({3.0f, 0.0f}), Tensor::from({4.0, 12.0})});
  parameters.emplace_back("none", zeros({2}, {.requires_grad = true}));
  CHECK(nn::clip_grad_norm(parameters, 2) == doctest::Approx(13).epsilon(1e-12));
  const double factor = 2 / (13 + 1e-6);
  CHECK(parameters[0].second.grad().to_vector<double>()[0] == doctest::Approx(3 * factor).epsilon(1e-7));
  CHECK(parameters[1].second.grad().to_vector<double>()[1] == doctest::Approx(12 * factor).epsilon(1e-14));
  CHECK_FALSE(parameters[2].second.grad().defined());
  CHECK(nn::clip_grad_norm(parameters, 100) == doctest::Approx(2).epsilon(1e-6));
}

TEST_CASE("clip_grad_norm: below max_norm nothing changes") {
  const Tensor grad = Tensor::from({0.3f, -0.4f});
  auto parameters = with_gradients({grad});
  CHECK(nn::clip_grad_norm(parameters, 1) == doctest::Approx(0.5));
  CHECK(nn::clip_grad_norm(parameters, std::numeric_limits<double>::infinity()) == doctest::Approx(0.5));
  CHECK(grad.to_vector<float>() == std::vector<float>{0.3f, -0.4f});
  CHECK(nn::clip_grad_norm({}, 1) == 0);
  CHECK_THROWS_AS(nn::clip_grad_norm(parameters, 0), Error);
}

TEST_CASE("clip_grad_norm: a norm that is not finite is returned, the gradients are left") {
  for (float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    auto parameters = with_gradients({Tensor::from({bad, 5.0f})});
    CHECK_FALSE(std::isfinite(nn::clip_grad_norm(parameters, 1)));
    CHECK(parameters[0].second.grad().to_vector<float>()[1] == 5);
  }
}

TEST_CASE("clip_grad_norm: squares beyond float's range, and gradients that share memory or are strided") {
  auto huge = with_gradients({Tensor::from({1e30f, 1e30f})});
  CHECK(nn::clip_grad_norm(huge, 1) == doctest::Approx(std::sqrt(2.0) * 1e30).epsilon(1e-6));
  CHECK(huge[0].second.grad().to_vector<float>()[0] == doctest::Approx(std::sqrt(0.5)).epsilon(1e-6));

  const Tensor shared = Tensor::from({3.0f, 4.0f});
  auto twice = with_gradients({shared, shared});
  nn::clip_grad_norm(twice, 1);
  const double factor = 1 / (std::sqrt(50.0) + 1e-6);
  CHECK(twice[0].second.grad().to_vector<float>()[1] == doctest::Approx(4 * factor).epsilon(1e-6));
  CHECK(twice[1].second.grad().to_vector<float>()[0] == doctest::Approx(3 * factor).epsilon(1e-6));

  const Tensor row = Tensor::from({2.0f});
  auto strided = with_gradients({broadcast_to(row, {3, 3}), transpose(full({2, 1}, 4.0), 0, 1)});
  CHECK(nn::clip_grad_norm(strided, 1) == doctest::Approx(std::sqrt(36.0 + 32.0)));
  CHECK(row.item<float>() == 2);
  for (float v : strided[0].second.grad().to_vector<float>())
    CHECK(v == doctest::Approx(2 / std::sqrt(68.0)).epsilon(1e-5));
  for (float v : strided[1].second.grad().to_vector<float>())
    CHECK(v == doctest::Approx(4 / std::sqrt(68.0)).epsilon(1e-5));
}

TEST_CASE("grad_norm and clip_factor: what clip_grad_norm returns and multiplies by; not finite: 1") {
  const auto parameters = with_gradients({Tensor::from({3.0f, 0.0f}), Tensor::from({4.0, 12.0})});
  CHECK(nn::grad_norm(parameters) == doctest::Approx(13).epsilon(1e-12));
  CHECK(nn::clip_factor(13, 2) == 2 / (13 + 1e-6));
  CHECK(nn::clip_factor(1, 2) == 1);
  CHECK(nn::clip_factor(13, std::numeric_limits<double>::infinity()) == 1);
  CHECK(nn::clip_factor(std::numeric_limits<double>::infinity(), 1) == 1);
  CHECK(nn::clip_factor(std::numeric_limits<double>::quiet_NaN(), 1) == 1);
  CHECK(nn::grad_norm({}) == 0);
  CHECK_THROWS_AS(nn::clip_factor(1, 0), Error);
}
