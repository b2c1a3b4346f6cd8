// Accuracy of the elementary functions of float over the whole range of floats.

#include <algorithm>
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

Real logistic(Real x) { return 1 / (1 + std::exp(-x)); }
Real softplus_truth(Real x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }

// Limits that the formulas of activations do not reach by themselves.
template <class F>
Real with_limits(Real x, F f) {
  return std::isinf(x) ? (x > 0 ? x : -0.0L) : f(x);
}

Real gelu_tanh_truth(Real x) {
  return with_limits(x, [](Real v) {
    const Real u2 = 2 * std::sqrt(2 / std::acos(-1.0L)) * (v + 0.044715L * v * v * v);
    return v * logistic(u2);
  });
}

Real mish_truth(Real x) {
  return with_limits(x, [](Real v) { return v * std::tanh(softplus_truth(v)); });
}

// The asymptotic series from 40 on, the recurrence below, the reflection formula for negative arguments.
Real digamma_truth(Real x) {
  constexpr Real infinity = std::numeric_limits<Real>::infinity();
  const Real pi = std::acos(-1.0L);
  if (x == 0) return std::copysign(infinity, -x);
  if (x < 0) {
    const Real r = x - std::nearbyint(x);
    return r == 0 || std::isinf(x) ? std::numeric_limits<Real>::quiet_NaN()
                                   : digamma_truth(1 - x) - pi / std::tan(pi * r);
  }
  Real sum = 0;
  for (; x < 40; x += 1) sum -= 1 / x;
  const Real u = 1 / (x * x);
  return sum + std::log(x) - 0.5L / x -
         u * (1 / 12.0L - u * (1 / 120.0L - u * (1 / 252.0L - u * (1 / 240.0L - u * (1 / 132.0L)))));
}

const Function powers_and_logarithms[] = {
    {"sqrt", cpu::Unary::sqrt, [](Real x) { return std::sqrt(x); }, 0.5},
    {"rsqrt", cpu::Unary::rsqrt, [](Real x) { return 1 / std::sqrt(x); }, 2},
    {"reciprocal", cpu::Unary::reciprocal, [](Real x) { return 1 / x; }, 0.5},
    {"exp", cpu::Unary::exp, [](Real x) { return std::exp(x); }, 0.51},
    {"exp2", cpu::Unary::exp2, [](Real x) { return std::exp2(x); }, 0.51},
    {"expm1", cpu::Unary::expm1, [](Real x) { return std::expm1(x); }, 0.51},
    {"log", cpu::Unary::log, [](Real x) { return std::log(x); }, 0.51},
    {"log2", cpu::Unary::log2, [](Real x) { return std::log2(x); }, 0.51},
    {"log10", cpu::Unary::log10, [](Real x) { return std::log10(x); }, 0.51},
    {"log1p", cpu::Unary::log1p, [](Real x) { return std::log1p(x); }, 0.51},
};

const Function trigonometric[] = {
    {"sin", cpu::Unary::sin, [](Real x) { return std::sin(x); }, 0.51},
    {"cos", cpu::Unary::cos, [](Real x) { return std::cos(x); }, 0.51},
    {"tan", cpu::Unary::tan, [](Real x) { return std::tan(x); }, 0.51},
    {"asin", cpu::Unary::asin, [](Real x) { return std::asin(x); }, 0.51},
    {"acos", cpu::Unary::acos, [](Real x) { return std::acos(x); }, 0.51},
    {"atan", cpu::Unary::atan, [](Real x) { return std::atan(x); }, 0.51},
};

const Function around_sinc[] = {
    {"sinc", cpu::Unary::sinc, [](Real x) { return x == 0 ? 1 : std::sin(x) / x; }, 0.51},
    {"log_sinc", cpu::Unary::log_sinc, &log_sinc_truth, 0.51},
    {"log_sinc_grad", cpu::Unary::log_sinc_grad, &log_sinc_grad_truth, 1},
    {"log_sinc_grad2", cpu::Unary::log_sinc_grad2, &log_sinc_grad2_truth, 0.51},
};

const Function hyperbolic[] = {
    {"sinh", cpu::Unary::sinh, [](Real x) { return std::sinh(x); }, 0.51},
    {"cosh", cpu::Unary::cosh, [](Real x) { return std::cosh(x); }, 0.51},
    {"tanh", cpu::Unary::tanh, [](Real x) { return std::tanh(x); }, 0.51},
    {"asinh", cpu::Unary::asinh, [](Real x) { return std::asinh(x); }, 0.51},
    {"acosh", cpu::Unary::acosh, [](Real x) { return std::acosh(x); }, 0.51},
    {"atanh", cpu::Unary::atanh, [](Real x) { return std::atanh(x); }, 0.51},
};

// lgamma near its zeros, 1 and 2 and one between each two negative poles, is as good as elsewhere, relative to itself.
const Function error_and_gamma[] = {
    {"erf", cpu::Unary::erf, [](Real x) { return std::erf(x); }, 0.51},
    {"erfc", cpu::Unary::erfc, [](Real x) { return std::erfc(x); }, 0.51},
    {"lgamma", cpu::Unary::lgamma, [](Real x) { return std::lgamma(x); }, 0.51},
};

const Function activations[] = {
    {"sigmoid", cpu::Unary::sigmoid, &logistic, 0.51},
    {"gelu", cpu::Unary::gelu, &gelu_truth, 4},
    {"gelu_tanh", cpu::Unary::gelu_tanh, &gelu_tanh_truth, 0.51},
    {"silu", cpu::Unary::silu, [](Real x) { return with_limits(x, [](Real v) { return v * logistic(v); }); }, 0.51},
    {"softplus", cpu::Unary::softplus, &softplus_truth, 0.51},
    {"mish", cpu::Unary::mish, &mish_truth, 0.51},
};

// Every 15013th float by its bits, both signs: each binade more than five hundred times, and what is special.
std::vector<float> sample() {
  std::vector<float> x;
  for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFu; bits += 15013)
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

// The sign of a zero is part of the result.
bool same_sign(float got, Real want) { return std::isnan(want) || std::signbit(got) == std::signbit(want); }

void check_accuracy(const Function& f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const Shape shape{static_cast<std::int64_t>(x.size())};
  cpu::unary(f.op, ff::f32, shape, x.data(), {1}, y.data());
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real truth = f.truth(static_cast<Real>(x[i]));
    if (const double d = test::ulps(y[i], truth); d > worst) worst = d, at = i;
    if (!same_sign(y[i], truth)) FAIL_CHECK(fmt::format("{}: sign at {:.9g}: got {:.9g}", f.name, x[i], y[i]));
  }
  const std::string what = fmt::format("{}: at most {:.4f} ulp (at {:.9g}: got {:.9g}, want {:.9g})", f.name, worst,
                                       x[at], y[at], static_cast<double>(f.truth(static_cast<Real>(x[at]))));
  MESSAGE(what);
  CHECK_MESSAGE(worst <= f.limit, what);
}

template <std::size_t N>
void check_all(const Function (&functions)[N]) {
  const std::vector<float> x = sample(), dense = dense_sample();
  for (const Function& f : functions) {
    check_accuracy(f, x);
    check_accuracy(f, dense);
  }
}

}  // namespace

TEST_CASE("powers, exponentials and logarithms of float are accurate over the whole range") {
  check_all(powers_and_logarithms);
}
TEST_CASE("trigonometric functions of float are accurate over the whole range") { check_all(trigonometric); }
TEST_CASE("sinc of float and its logarithm are accurate over the whole range") { check_all(around_sinc); }
TEST_CASE("hyperbolic functions of float are accurate over the whole range") { check_all(hyperbolic); }
TEST_CASE("error and gamma functions of float are accurate over the whole range") { check_all(error_and_gamma); }
TEST_CASE("activations of float are accurate over the whole range") { check_all(activations); }

TEST_CASE("digamma of float: to half a place, but for its negative zeros, where it is computed to 1e-14") {
  for (const std::vector<float>& x : {sample(), dense_sample()}) {
    std::vector<float> y(x.size());
    cpu::unary(cpu::Unary::digamma, f32, {static_cast<std::int64_t>(x.size())}, x.data(), {1}, y.data());
    double worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const Real truth = digamma_truth(x[i]);
      if (x[i] < 0 && std::abs(truth - y[i]) <= 1e-14L) continue;
      if (const double d = test::ulps(y[i], truth); d > worst) worst = d, at = i;
    }
    const std::string what = fmt::format("digamma: at most {:.4f} ulp (at {:.9g}: got {:.9g})", worst, x[at], y[at]);
    MESSAGE(what);
    CHECK_MESSAGE(worst <= 0.51, what);
  }
}

TEST_CASE("atan2 of float is accurate in every quadrant, zeros and infinities too") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> ys, xs;
  const float special[] = {0.0f, 1.0f, infinity, 1e-45f, 3e38f, std::numeric_limits<float>::quiet_NaN()};
  for (float y : special)
    for (float x : special)
      for (int signs = 0; signs < 4; ++signs) {
        ys.push_back(signs & 1 ? -y : y);
        xs.push_back(signs & 2 ? -x : x);
      }
  const std::vector<float> all = sample();
  for (std::size_t i = 0; i < all.size(); i += 2) {
    ys.push_back(all[i]);
    xs.push_back(all[(i * 7919 + 13) % all.size()]);
    ys.push_back(all[i]);  // of like size
    xs.push_back(all[i] * (0.25f + 0.001f * static_cast<float>(i % 4000)));
  }
  std::vector<float> got(ys.size());
  cpu::binary(cpu::Binary::atan2, f32, {static_cast<std::int64_t>(ys.size())}, ys.data(), {1}, xs.data(), {1},
              got.data());
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < ys.size(); ++i) {
    const Real truth = std::atan2(static_cast<Real>(ys[i]), static_cast<Real>(xs[i]));
    if (const double d = test::ulps(got[i], truth); d > worst) worst = d, at = i;
    if (!same_sign(got[i], truth)) FAIL_CHECK(fmt::format("sign of atan2({}, {}) = {}", ys[i], xs[i], got[i]));
  }
  const std::string what = fmt::format("atan2: at most {:.4f} ulp (at {:.9g}, {:.9g})", worst, ys[at], xs[at]);
  MESSAGE(what);
  CHECK_MESSAGE(worst <= 0.51, what);
}

}  // namespace ff
