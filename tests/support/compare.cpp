#include "tests/support/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace ff::test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double distance(double got, double want) {
  if (got == want || (std::isnan(got) && std::isnan(want))) return 0;
  const double d = std::abs(got - want);
  return std::isnan(d) ? infinity : d;
}

}  // namespace

std::string Difference::str() const {
  return fmt::format("largest difference {:.3g}, relative {:.3g} (got {:.9g}, want {:.9g}) {}", absolute, relative, got,
                     want, where);
}

Difference largest_difference_of(const std::vector<double>& got, const std::vector<double>& want, const Shape& shape) {
  Difference d;
  if (got.size() != want.size()) {
    d.absolute = d.relative = infinity;
    d.where = fmt::format("sizes differ: got {} elements, want {}", got.size(), want.size());
    return d;
  }
  std::size_t at = 0;
  double scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isfinite(want[i])) scale = std::max(scale, std::abs(want[i]));
    if (const double here = distance(got[i], want[i]); here > d.absolute) {
      d.absolute = here;
      at = i;
    }
  }
  if (got.empty()) return d;
  d.relative = scale > 0 ? d.absolute / scale : d.absolute;
  d.got = got[at];
  d.want = want[at];
  const auto n = static_cast<std::int64_t>(got.size());
  d.where = "at index " + describe_index(static_cast<std::int64_t>(at), shape.numel() == n ? shape : Shape{n});
  return d;
}

std::string describe_index(std::int64_t flat, const Shape& shape) {
  Shape index = shape;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return index.str();
}

double ulps(float got, long double truth) {
  if (std::isnan(truth)) return std::isnan(got) ? 0 : infinity;
  // Halfway between the largest float and what would be the next one: from here on rounding gives infinity.
  constexpr long double overflow = 0x1.ffffffp127L;
  if (std::abs(truth) >= overflow) return got == (truth > 0 ? infinity : -infinity) ? 0 : infinity;
  if (!std::isfinite(got)) return infinity;
  const int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
  return static_cast<double>(std::abs(static_cast<long double>(got) - truth) / std::ldexp(1.0L, exponent - 23));
}

}  // namespace ff::test
