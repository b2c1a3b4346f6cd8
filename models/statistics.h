#pragma once

#include <optional>
#include <span>

/// What a few repeated runs tell.
namespace ff::models {

struct Spread {
  std::size_t count = 0;
  double mean = 0;
  double deviation = 0;  ///< with the denominator count - 1; 0 where there is one value alone
};

Spread spread(std::span<const double> values);

/// How wide a two-sided interval of Student's t distribution with so many degrees of freedom is: P(|T| <= t) =
/// confidence (Abramowitz and Stegun 26.7.3 and 26.7.4). Throws Error unless freedom >= 1 and 0 < confidence < 1.
double student_t(int freedom, double confidence = 0.95);

/// Differences between values that belong together, such as results of two models from the same seed.
struct PairedDifference {
  Spread difference;  ///< of b - a
  /// Half the width of the confidence interval of the mean difference; none of a single pair. It takes differences for
  /// normally distributed, which a few of them cannot confirm.
  std::optional<double> half_width;
};

/// Throws Error unless there is a b for every a, and at least one.
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b, double confidence = 0.95);

}  // namespace ff::models
