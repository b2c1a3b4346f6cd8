#include "ff/models/spectrum.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ff::models {
namespace {

constexpr int most_sweeps = 50;  // ten are plenty

// Makes entry (p, q) 0 by a rotation of rows and columns p and q.
void rotate(std::vector<double>& a, std::size_t n, std::size_t p, std::size_t q) {
  const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1.0)), theta);
  const double c = 1 / std::hypot(t, 1.0), s = t * c;
  for (std::size_t k = 0; k < n; ++k) {
    const double kp = a[k * n + p], kq = a[k * n + q];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < n; ++k) {
    const double pk = a[p * n + k], qk = a[q * n + k];
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
  }
}

}  // namespace

std::vector<double> symmetric_eigenvalues(std::vector<double> a, std::int64_t size) {
  const auto n = static_cast<std::size_t>(size);
  double norm = 0;
  for (const double x : a) norm = std::hypot(norm, x);
  const double small = norm * std::numeric_limits<double>::epsilon() / static_cast<double>(std::max<std::size_t>(n, 1));
  bool rotated = true;
  for (int sweep = 0; rotated && sweep < most_sweeps; ++sweep) {
    rotated = false;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q)
        if (std::abs(a[p * n + q]) > small) rotate(a, n, p, q), rotated = true;
  }
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = a[i * n + i];
  return values;
}

double effective_rank(std::vector<double> products, std::int64_t n, double noise) {
  double total = 0, logs = 0;
  for (const double value : symmetric_eigenvalues(std::move(products), n)) {
    if (value <= noise) continue;
    const double singular = std::sqrt(value);
    total += singular;
    logs += singular * std::log(singular);
  }
  return total > 0 ? std::exp(std::log(total) - logs / total) : 0;
}

}  // namespace ff::models
