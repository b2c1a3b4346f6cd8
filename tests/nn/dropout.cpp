#include "ff/nn/dropout.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

TEST_CASE("Dropout: in training drops a share and keeps the mean; in evaluation does nothing") {
  manual_seed(1);
  nn::Dropout dropout(0.25);
  const Tensor x = ones({100, 100});
  int dropped = 0;
  for (float v : dropout(x).to_vector<float>()) {
    CHECK((v == 0 || std::abs(v - 1 / 0.75f) < 1e-6f));
    dropped += v == 0;
  }
  CHECK(std::abs(dropped - 2500) < 5 * std::sqrt(10000 * 0.25 * 0.75));
  CHECK(dropout(x).to_vector<float>() != dropout(x).to_vector<float>());
  dropout.eval();
  CHECK(dropout(x).is(x));
  nn::Dropout none(0);
  CHECK(none(x).is(x));
  CHECK_THROWS_AS(nn::Dropout(1), Error);
  CHECK_THROWS_AS(nn::Dropout(-0.1), Error);
}

TEST_CASE("DropPath: drops whole samples") {
  manual_seed(2);
  nn::DropPath path(0.4);
  for (DType dtype : {f32, f64}) {
    const Tensor x = ones({2000, 2, 3}, {.dtype = dtype, .requires_grad = true});
    const Tensor y = path(x);
    CHECK(y.dtype() == dtype);
    sum(y).backward();
    CHECK(x.grad().to_vector<double>() == y.to_vector<double>());
    const auto values = y.to_vector<double>();
    int dropped = 0;
    for (std::size_t sample = 0; sample < 2000; ++sample) {
      for (std::size_t i = 1; i < 6; ++i) CHECK(values[sample * 6 + i] == values[sample * 6]);
      CHECK((values[sample * 6] == 0 || std::abs(values[sample * 6] - 1 / 0.6) < 1e-6));
      dropped += values[sample * 6] == 0;
    }
    CHECK(std::abs(dropped - 800) < 5 * std::sqrt(2000 * 0.4 * 0.6));
  }
  path.eval();
  const Tensor x = ones({3});
  CHECK(path(x).is(x));
  path.train();
  CHECK_THROWS_AS(path(Tensor::scalar(1)), Error);
  CHECK_THROWS_AS(nn::DropPath(1), Error);
}

TEST_CASE("Dropout2d: drops whole channels, in training alone") {
  manual_seed(3);
  nn::Dropout2d dropout(0.5);
  const Tensor x = ones({50, 4, 3, 2});
  const Tensor y = flatten(dropout(x), 2);
  CHECK(max(y, {2}).to_vector<float>() == min(y, {2}).to_vector<float>());
  CHECK(min(y).item<float>() == 0);
  CHECK(max(y).item<float>() == 2);
  dropout.eval();
  CHECK(dropout(x).is(x));
  CHECK_THROWS_AS(nn::Dropout2d(1), Error);
}

TEST_CASE("DropPath: add_to is the residual and what is left of x; outside of training, their sum") {
  nn::DropPath path(0.4);
  const Tensor x = randn({50, 3}), residual = randn({50, 3});
  manual_seed(8);
  const Tensor together = path.add_to(residual, x);
  manual_seed(8);
  CHECK(together.to_vector<float>() == (residual + path(x)).to_vector<float>());
  path.eval();
  CHECK(path.add_to(residual, x).to_vector<float>() == (residual + x).to_vector<float>());
}
