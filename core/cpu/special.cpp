#include "ff/core/cpu/special.h"

#include <algorithm>
#include <cstddef>

#include "ff/core/cpu/polynomials.h"

// Arguments of activations are clamped where these have reached their limits, lest infinities meet zeros.

namespace ff::cpu {
namespace {

template <std::size_t N>
double evaluate(double x, const double (&c)[N]) {
  double y = c[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = y * x + c[i];
  return y;
}

// sin(x) where it stands in a denominator: no double but 0 is a multiple of pi, but say so.
double nonzero_sin(double x) {
  const double s = std::sin(x);
  return s == 0 ? 0x1p-60 : s;
}

}  // namespace

double sinc(double x) { return x == 0 ? 1 : std::sin(x) / x; }

double log_sinc(double x) {
  const double x2 = x * x;
  return x2 < 1 ? x2 * evaluate(x2, polynomial::log_sinc_over_x2) : std::log(std::abs(std::sin(x) / x));
}

double log_sinc_grad(double x) {
  const double x2 = x * x;
  return x2 < 1 ? x * evaluate(x2, polynomial::log_sinc_grad_over_x) : std::cos(x) / nonzero_sin(x) - 1 / x;
}

double log_sinc_grad2(double x) {
  const double x2 = x * x;
  if (x2 < 1) return evaluate(x2, polynomial::log_sinc_grad2_near_0);
  const double s = nonzero_sin(x);
  return 1 / x2 - 1 / (s * s);
}

double normal_function(double x) { return 0.5 * std::erfc(-x * 0.7071067811865476); }

double normal_density(double x) { return 0.3989422804014327 * std::exp(-0.5 * x * x); }

double sigmoid(double x) {
  const double e = std::exp(-std::abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double gelu(double x) {
  const double c = x < -40 ? -40 : x;
  return c * normal_function(c);
}

double gelu_slope(double x) {
  const double c = std::clamp(x, -40.0, 40.0);
  return normal_function(c) + c * normal_density(c);
}

// The sigmoid of twice the argument of the tanh.
double gelu_tanh(double x) {
  const double c = x < -40 ? -40 : x;
  return c * sigmoid(1.5957691216057308 * c * (1 + 0.044715 * c * c));
}

double gelu_tanh_slope(double x) {
  const double c = std::clamp(x, -40.0, 40.0);
  const double s = sigmoid(1.5957691216057308 * c * (1 + 0.044715 * c * c));
  return s + c * s * (1 - s) * 1.5957691216057308 * (1 + 3 * 0.044715 * c * c);
}

double silu(double x) {
  const double c = x < -750 ? -750 : x;
  return c * sigmoid(c);
}

double silu_slope(double x) {
  const double c = std::clamp(x, -750.0, 750.0);
  return sigmoid(c) * (1 + c * sigmoid(-c));
}

// tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), for e = exp(x).
double mish(double x) {
  const double c = x < -750 ? -750 : x, e = std::exp(std::min(c, 40.0)), n = e * (e + 2);
  return c * (n / (n + 2));
}

double mish_slope(double x) {
  const double c = std::clamp(x, -750.0, 750.0), e = std::exp(std::min(c, 40.0)), n = e * (e + 2);
  return (n + 4 * c * e * (e + 1) / (n + 2)) / (n + 2);
}

}  // namespace ff::cpu
