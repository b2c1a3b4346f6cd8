// Accuracy of the elementary functions of float over the whole range of floats.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/elementwise.h"

#include "tests/support/compare.h"

namespace ff {
namespace {

using Real = long double;

struct Function {
  const char* name;
  cpu::Unary op;
  Real (*truth)(Real);
  double limit;  // ulp
};

// Differences of nearly equal terms near 0 are taken from their series there.
Real log_sinc_truth(Real x) {
  const Real u = x * x;
  if (std::abs(x) < 0.02L) return -u / 6 - u * u / 180 - u * u * u / 2835;
  return std::log(std::abs(std::sin(x) / x));
}

Real log_sinc_grad_truth(Real x) {
  const Real u = x * x;
  if (std::abs(x) < 0.02L) return -x * (1 / 3.0L + u / 45 + 2 * u * u / 945);
  return std::cos(x) / std::sin(x) - 1 / x;
}

Real log_sinc_grad2_truth(Real x) {
  const Real u = x * x, s = std::sin(x);
  if (std::abs(x) < 0.02L) return -(1 / 3.0L + u / 15 + 2 * u * u / 189);
  return 1 / u - 1 / (s * s);
}

Real gelu_truth(Real x) {
  if (std::isinf(x)) return x > 0 ? x : -0.0L;
  return x * std::erfc(-x / std::sqrt(2.0L)) / 2;
}

const Function functions[] = {
    {"sqrt", cpu::Unary::sqrt, [](Real x) { return std::sqrt(x); }, 0.5},
    {"rsqrt", cpu::Unary::rsqrt, [](Real x) { return 1 / std::sqrt(x); }, 2},
    {"reciprocal", cpu::Unary::reciprocal, [](Real x) { return 1 / x; }, 0.5},
    {"exp", cpu::Unary::exp, [](Real x) { return std::exp(x); }, 0.51},
    {"expm1", cpu::Unary::expm1, [](Real x) { return std::expm1(x); }, 0.51},
    {"log", cpu::Unary::log, [](Real x) { return std::log(x); }, 0.51},
    {"log1p", cpu::Unary::log1p, [](Real x) { return std::log1p(x); }, 0.51},
    {"sin", cpu::Unary::sin, [](Real x) { return std::sin(x); }, 0.51},
    {"cos", cpu::Unary::cos, [](Real x) { return std::cos(x); }, 0.51},
    {"tanh", cpu::Unary::tanh, [](Real x) { return std::tanh(x); }, 0.51},
    {"sigmoid", cpu::Unary::sigmoid, [](Real x) { return 1 / (1 + std::exp(-x)); }, 0.51},
    {"erf", cpu::Unary::erf, [](Real x) { return std::erf(x); }, 0.51},
    {"sinc", cpu::Unary::sinc, [](Real x) { return x == 0 ? 1 : std::sin(x) / x; }, 0.51},
    {"log_sinc", cpu::Unary::log_sinc, &log_sinc_truth, 0.51},
    {"log_sinc_grad", cpu::Unary::log_sinc_grad, &log_sinc_grad_truth, 1},
    {"log_sinc_grad2", cpu::Unary::log_sinc_grad2, &log_sinc_grad2_truth, 0.51},
    {"gelu", cpu::Unary::gelu, &gelu_truth, 0.51},
};

// Every 7919th float by its bits, both signs: each binade more than a thousand times, and what is special.
std::vector<float> sample() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFu; bits += 7919)
    x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  constexpr float infinity = std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();
  constexpr float denormal = std::numeric_limits<float>::denorm_min(), smallest = std::numeric_limits<float>::min();
  for (float v : {0.0f,         1.0f,        0.5f,       infinity,    largest,    denormal,    smallest,   88.72283f,
                  88.722839f,   103.97f,     103.98f,    17.0f,       9.0f,       5.0f,        14.2f,      1e6f,
                  1.0000001e6f, 0.99999994f, 1.0000001f, 0.70710677f, 0.7071068f, 0.34657359f, 3.1415927f, 6.2831855f,
                  1.5707964f,   4.4934094f,  7.7252517f, 16367173e5f, 0.78539819f}) {
    x.push_back(v);
    x.push_back(-v);
  }
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  return x;
}

// Arguments where a function is worth looking at more closely than by the bits of x.
std::vector<float> dense_sample() {
  std::vector<float> x;
  for (int i = -200000; i <= 200000; ++i) x.push_back(static_cast<float>(i) * 6.1e-4f);
  return x;
}

void check_accuracy(const Function& f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const Shape shape{static_cast<std::int64_t>(x.size())};
  cpu::unary(f.op, ff::f32, shape, x.data(), {1}, y.data());
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (const double d = test::ulps(y[i], f.truth(static_cast<Real>(x[i]))); d > worst) worst = d, at = i;
  const std::string what = fmt::format("{}: at most {:.4f} ulp (at {:.9g}: got {:.9g}, want {:.9g})", f.name, worst,
                                       x[at], y[at], static_cast<double>(f.truth(static_cast<Real>(x[at]))));
  MESSAGE(what);
  CHECK_MESSAGE(worst <= f.limit, what);
}

}  // namespace

TEST_CASE("elementary functions of float are accurate over the whole range") {
  const std::vector<float> x = sample(), dense = dense_sample();
  for (const Function& f : functions) {
    check_accuracy(f, x);
    check_accuracy(f, dense);
  }
}

}  // namespace ff
