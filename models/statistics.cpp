#include "ff/models/statistics.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "ff/core/check.h"

namespace ff::models {
namespace {

constexpr const char* op = "statistics";

// P(|T| <= t) where t = sqrt(freedom) tan(angle).
double within(int freedom, double angle) {
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const bool odd = freedom % 2 == 1;
  double term = odd ? cosine : 1, sum = 0;
  for (int k = odd ? 1 : 0; k <= freedom - 2; k += 2) {
    sum += term;
    term *= (k + 1.0) / (k + 2.0) * cosine * cosine;
  }
  return odd ? 2 / std::numbers::pi * (angle + sine * sum) : sine * sum;
}

}  // namespace

Spread spread(std::span<const double> values) {
  Spread result{.count = values.size()};
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  result.mean = values[0];  // from which differences are taken: equal values have no deviation, not even a rounding's
  for (const double value : values) result.mean += (value - values[0]) / n;
  double squares = 0;
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  if (values.size() > 1) result.deviation = std::sqrt(squares / (n - 1));
  return result;
}

double student_t(int freedom, double confidence) {
  check(freedom >= 1 && confidence > 0 && confidence < 1, op, "{} degrees of freedom, confidence {}", freedom,
        confidence);
  double low = 0, high = std::numbers::pi / 2;
  while (true) {
    const double angle = (low + high) / 2;
    if (angle <= low || angle >= high) return std::sqrt(freedom) * std::tan(angle);
    (within(freedom, angle) < confidence ? low : high) = angle;
  }
}

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b, double confidence) {
  check(a.size() == b.size() && !a.empty(), op, "{} and {} values are no pairs", a.size(), b.size());
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(b[i] - a[i]);
  PairedDifference result{.difference = spread(differences), .half_width = {}};
  const auto n = static_cast<double>(a.size());
  if (a.size() > 1)
    result.half_width =
        student_t(static_cast<int>(a.size()) - 1, confidence) * result.difference.deviation / std::sqrt(n);
  return result;
}

}  // namespace ff::models
