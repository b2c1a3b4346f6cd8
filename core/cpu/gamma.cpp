#include "ff/core/cpu/gamma.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "ff/core/cpu/polynomials.h"

namespace ff::cpu {
namespace {

constexpr double pi = 3.141592653589793;
constexpr double infinity = std::numeric_limits<double>::infinity();
// From here on the terms of the asymptotic series below (Abramowitz and Stegun 6.3.18, 6.4.11) reach 1e-17.
constexpr double digamma_large = 10, polygamma_large = 15;

template <std::size_t N>
double evaluate(double x, const double (&c)[N]) {
  double y = c[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) y = y * x + c[i];
  return y;
}

bool is_pole(double x) { return x <= 0 && x == std::floor(x); }

// What an odd function of the distance to a pole is there: -inf to the right of one at 0, NaN where the side is
// unknown.
double at_pole(double x) { return x == 0 ? std::copysign(infinity, -x) : std::numeric_limits<double>::quiet_NaN(); }

// pi x but for whole multiples of pi, which sin^2, cos sin and cot do not tell apart.
double reduced_angle(double x) { return pi * (x - std::nearbyint(x)); }

double positive_digamma(double x) {
  if (x >= digamma_large) {
    static constexpr double series[] = {1 / 12.0,  -1 / 120.0,     1 / 252.0, -1 / 240.0,
                                        1 / 132.0, -691 / 32760.0, 1 / 12.0};
    const double u = 1 / (x * x);
    return std::log(x) - 0.5 / x - u * evaluate(u, series);
  }
  double sum = 0;
  if (x < 1) {
    sum = -1 / x;
    x += 1;
  }
  for (; x > 2; sum += 1 / x) x -= 1;
  // Around its root, which is not a double, as a multiple of the distance to it.
  const double t = (x - 1.4616321449683622) - 9.549995429965697e-17;
  return sum + t * evaluate(t, polynomial::digamma_near_root);
}

double positive_trigamma(double x) {
  static constexpr double series[] = {1 / 6.0,  -1 / 30.0,     1 / 42.0, -1 / 30.0,
                                      5 / 66.0, -691 / 2730.0, 7 / 6.0,  -3617 / 510.0};
  double sum = 0;
  for (; x < polygamma_large; x += 1) sum += 1 / (x * x);
  const double r = 1 / x, u = r * r;
  return sum + r * (1 + 0.5 * r + u * evaluate(u, series));
}

double positive_tetragamma(double x) {
  static constexpr double series[] = {1 / 2.0, -1 / 6.0,     1 / 6.0,  -3 / 10.0,
                                      5 / 6.0, -691 / 210.0, 35 / 2.0, -3617 / 30.0};
  double sum = 0;
  for (; x < polygamma_large; x += 1) sum += 2 / (x * x * x);
  const double r = 1 / x, u = r * r;
  return -(sum + u * (1 + r + u * evaluate(u, series)));
}

}  // namespace

double log_gamma(double x) {
  int sign;  // lgamma() would leave it in a global variable that threads share
  return lgamma_r(x, &sign);
}

// Below 0 the reflection formula psi(1 - x) - psi(x) = pi cot(pi x), and its derivatives.

double digamma(double x) {
  if (is_pole(x)) return at_pole(x);
  if (!(x < 0)) return positive_digamma(x);
  return positive_digamma(1 - x) - pi / std::tan(reduced_angle(x));
}

double trigamma(double x) {
  if (x == -infinity) return std::numeric_limits<double>::quiet_NaN();
  if (is_pole(x)) return infinity;
  if (!(x < 0)) return positive_trigamma(x);
  const double s = std::sin(reduced_angle(x)) / pi;
  return 1 / (s * s) - positive_trigamma(1 - x);
}

double tetragamma(double x) {
  if (is_pole(x)) return at_pole(x);
  if (!(x < 0)) return positive_tetragamma(x);
  const double angle = reduced_angle(x), s = std::sin(angle) / pi;
  return positive_tetragamma(1 - x) - 2 * std::cos(angle) / (s * s * s);
}

}  // namespace ff::cpu
