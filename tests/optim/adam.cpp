#include "ff/optim/adam.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("Adam: the first step is lr against the sign of the gradient, whatever its size") {
  const Tensor p = zeros({5}, {.dtype = f64});
  p.set_grad(Tensor::from({1e-3, -1e-3, 1.0, -1e6, 0.0}));
  optim::Adam({{"p", p}}, {.lr = 0.25}).step();
  const auto x = p.to_vector<double>();
  CHECK(x[0] == doctest::Approx(-0.25).epsilon(2e-5));  // eps counts beside 1e-3
  CHECK(x[1] == doctest::Approx(0.25).epsilon(2e-5));
  CHECK(x[2] == doctest::Approx(-0.25).epsilon(2e-8));
  CHECK(x[3] == doctest::Approx(0.25).epsilon(1e-12));
  CHECK(x[4] == 0);
}

TEST_CASE("Adam: eps is added outside the corrected root") {
  const Tensor p = zeros({1}, {.dtype = f64});
  p.set_grad(Tensor::from({2.0}));
  optim::Adam({{"p", p}}, {.lr = 1, .eps = 3}).step();
  CHECK(p.item<double>() == doctest::Approx(-2.0 / (2 + 3)).epsilon(1e-14));
}

TEST_CASE("AdamW: decay is of the parameter, by lr weight_decay, and beside the adaptive step") {
  const Tensor p = Tensor::from({2.0}), q = Tensor::from({2.0});
  p.set_grad(Tensor::from({0.0}));
  q.set_grad(Tensor::from({0.0}));
  optim::AdamW({{"p", p}}, {.lr = 0.1, .weight_decay = 0.5}).step();
  CHECK(p.item<double>() == doctest::Approx(2 * 0.95).epsilon(1e-14));
  optim::Adam({{"q", q}}, {.lr = 0.1, .weight_decay = 0.5}).step();
  CHECK(q.item<double>() == doctest::Approx(2 - 0.1).epsilon(1e-7));
  CHECK(optim::AdamWOptions().weight_decay == 0.01);
  CHECK(optim::AdamOptions().weight_decay == 0);
}

TEST_CASE("Adam: no NaN from gradients of zero, however small eps") {
  const Tensor p = ones({3});
  optim::Adam adam({{"p", p}});
  for (int step = 0; step < 3; ++step) {
    p.set_grad(Tensor::from({0.0f, 1e-30f, -1e-38f}));  // the squares underflow
    adam.step();
  }
  for (float v : p.to_vector<float>()) CHECK(std::isfinite(v));
}

TEST_CASE("Adam: bad options throw") {
  const NamedTensors parameters{{"p", zeros({1})}};
  CHECK_THROWS_AS(optim::Adam(parameters, {.betas = {1.0, 0.9}}), Error);
  CHECK_THROWS_AS(optim::Adam(parameters, {.betas = {0.9, -0.1}}), Error);
  CHECK_THROWS_AS(optim::AdamW(parameters, {.eps = -1}), Error);
}
