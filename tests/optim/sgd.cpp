#include "ff/optim/sgd.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("SGD: two steps by hand") {
  const Tensor p = Tensor::from({1.0, -2.0});
  optim::SGD sgd({{"p", p}}, {.lr = 0.1, .momentum = 0.5, .dampening = 0.25, .weight_decay = 1});
  p.set_grad(Tensor::from({1.0, 1.0}));
  sgd.step();  // d = (2, -1), b = d, p = (0.8, -1.9)
  p.set_grad(Tensor::from({0.0, 1.0}));
  sgd.step();  // d = (0.8, -0.9), b = d / 2 + 0.75 d = (1.6, -1.175)
  CHECK(p.to_vector<double>()[0] == doctest::Approx(0.64).epsilon(1e-14));
  CHECK(p.to_vector<double>()[1] == doctest::Approx(-1.7825).epsilon(1e-14));
  const Tensor buffer = sgd.state_dict().at("p.momentum_buffer");
  CHECK(buffer.to_vector<double>()[0] == doctest::Approx(1.6).epsilon(1e-14));
}

TEST_CASE("SGD: without momentum nothing is remembered but the count") {
  const Tensor p = Tensor::from({1.0f});
  optim::SGD sgd({{"p", p}}, {.lr = 0.5});
  p.set_grad(Tensor::from({1.0f}));
  sgd.step();
  CHECK(p.item<float>() == 0.5f);
  CHECK(sgd.state_dict().size() == 2);
}

TEST_CASE("SGD: bad options throw") {
  const NamedTensors parameters{{"p", zeros({1})}};
  CHECK_THROWS_AS(optim::SGD(parameters, {.momentum = -0.1}), Error);
  CHECK_THROWS_AS(optim::SGD(parameters, {.nesterov = true}), Error);
  CHECK_THROWS_AS(optim::SGD(parameters, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), Error);
}
