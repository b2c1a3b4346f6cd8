#include "ff/models/regression/dependent_data.h"

#include <cmath>
#include <numbers>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/special.h"

namespace ff::models {
namespace {

constexpr double ring_radius = 1.5;

// exp(-z) I_0(z), z >= 0: the library's series overflows where z is large; the asymptotic one is good to 1e-8 there.
double scaled_bessel(double z) {
  constexpr double large = 50;
  if (z < large) return std::cyl_bessel_i(0.0, z) * std::exp(-z);
  const double u = 1 / (8 * z);
  return (1 + u * (1 + u * (4.5 + u * 37.5))) / std::sqrt(2 * std::numbers::pi * z);
}

}  // namespace

DependentData::DependentData(Density density, double spread) : density_(density), spread_(spread) {
  check(spread >= 0.05 && spread <= 1, "dependent_data", "the spread must be 0.05 to 1, got {}", spread);
}

Tensor DependentData::sample(std::int64_t n, RandomKey key) const {
  Tensor normal = Tensor::empty({n, 2}, f64);
  auto* point = normal.data<double>();
  fill_normal(point, 2 * n, key);
  const RandomKey more{key.seed, key.offset + static_cast<std::uint64_t>(n)};
  const double correlation = std::sqrt(1 - spread_ * spread_);
  for (std::int64_t i = 0; i < n; ++i, point += 2) {
    const double x = point[0], noise = spread_ * point[1];
    const double share = 0x1p-32 * random_bits(more, static_cast<std::uint64_t>(i));  // uniform in [0, 1)
    if (density_ == Density::banana) {
      point[1] = x * x / 2 - 1 + noise;
    } else if (density_ == Density::mixture) {
      point[1] = (share < 0.5 ? correlation : -correlation) * x + noise;
    } else {
      point[0] = ring_radius * std::cos(2 * std::numbers::pi * share) + spread_ * x;
      point[1] = ring_radius * std::sin(2 * std::numbers::pi * share) + noise;
    }
  }
  return normal;
}

double DependentData::operator()(double x, double y) const {
  const double s = spread_, r = std::sqrt(1 - s * s);
  const auto given_x = [&](double mean) { return cpu::normal_density((y - mean) / s) / s; };
  switch (density_) {
    case Density::mixture:
      return cpu::normal_density(x) * (given_x(r * x) + given_x(-r * x)) / 2;
    case Density::banana:
      return cpu::normal_density(x) * given_x(x * x / 2 - 1);
    case Density::ring:
      break;
  }
  // |point| of a circle with noise is Rice's distribution.
  const double distance = std::hypot(x, y), off = (distance - ring_radius) / s;
  return std::exp(-off * off / 2) * scaled_bessel(ring_radius * distance / (s * s)) / (2 * std::numbers::pi * s * s);
}

DependentData::Box DependentData::box() const {
  constexpr double far = 4.5;  // deviations
  switch (density_) {
    case Density::mixture:
      return {-far, far, -far, far};
    case Density::banana:
      return {-far, far, -1 - far * spread_, far * far / 2 - 1 + far * spread_};
    case Density::ring:
      break;
  }
  const double edge = ring_radius + far * spread_;
  return {-edge, edge, -edge, edge};
}

Tensor smooth_function(const Tensor& points) { return sin(3 * select(points, 1, 0)) + cos(2 * select(points, 1, 1)); }

}  // namespace ff::models
