#include "ff/core/cpu/special.h"

#include <cstddef>

#include "ff/core/cpu/polynomials.h"

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

}  // namespace ff::cpu
