#include "ff/autograd/anomaly.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/support/errors.h"

using namespace ff;
using test::error_of;

namespace {

std::string line(int number) { return "tests/autograd/anomaly.cpp:" + std::to_string(number); }

}  // namespace

TEST_CASE("anomaly mode: the first NaN forward names the op, the line and its inputs") {
  const Tensor x = Tensor::from({-1.0f, 4.0f, 2.0f});
  CHECK(error_of([&] { sqrt(x) + 1; }) == "(no error)");
  const DetectAnomaly on;
  int at = 0;
  const std::string text = error_of([&] { at = __LINE__, exp(sqrt(x)); });
  test::check_says(text, "[sqrt] the result has the first NaN: (3,) f32 from 1.414 to 2, mean 1.707, 1 NaN");
  test::check_says(text, "computed from (3,) f32 from -1 to 4, mean 1.667");
  test::check_says(text, "(at " + line(at) + ")");
}

TEST_CASE("anomaly mode: infinities count unless they are allowed") {
  const Tensor x = Tensor::from({0.0f, 1.0f}), mask = Tensor::from<bool>({true, false});
  const DetectAnomaly on;
  test::check_says(error_of([&] { log(x); }), "[log] the result has the first infinity");
  test::check_says(error_of([&] { masked_fill(x, mask, -INFINITY); }), "infinity");
  const DetectAnomaly nan_only(false);
  CHECK(error_of([&] { softmax(masked_fill(x, mask, -INFINITY), -1); }) == "(no error)");
  test::check_says(error_of([&] { log(x) * 0; }), "[mul] the result has the first NaN");
}

TEST_CASE("anomaly mode: the first NaN backward names the line that computed the op, and the one that went backward") {
  const Tensor x = Tensor::from({0.0, 4.0}).requires_grad_();
  const DetectAnomaly on;
  const int forward = __LINE__ + 1;
  const Tensor y = sum(sqrt(x) * 0);  // d sqrt(x) = 0 / 0 at 0
  const int backward = __LINE__ + 1;
  const std::string text = error_of([&] { y.backward(); });
  test::check_says(text, "[sqrt] the gradient of input 0 has the first NaN: (2,) f64");
  test::check_says(text, "(at " + line(forward) + ", called at " + line(backward) + ")");
}

TEST_CASE("anomaly mode ends with its guard") {
  { const DetectAnomaly on; }
  CHECK(error_of([] { log(Tensor::from({-1.0})); }) == "(no error)");
}
