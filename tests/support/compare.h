#pragma once

#include <cstdint>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "ff/core/shape.h"

namespace ff::test {

/// Where and by how much two arrays differ most. Two NaN are equal, as are two infinities of a sign; a NaN or an
/// infinity against anything else differs by infinity, as do arrays of different sizes.
struct Difference {
  double absolute = 0;  ///< the largest |got - want|
  double relative = 0;  ///< absolute over the largest finite |want|; absolute itself where that is 0
  double got = 0, want = 0;
  std::string where;  ///< "at index (2, 0, 5)", or what else is wrong

  /// "largest difference 3.1e-05, relative 1.2e-05 (got 2.00003, want 2) at index (2, 0, 5)"
  std::string str() const;
};

/// The comparison itself. The index is told in shape, or flat if shape is not of that many elements.
Difference largest_difference_of(const std::vector<double>& got, const std::vector<double>& want, const Shape& shape);

/// Compares any two ranges of numbers (vectors, spans, arrays), element types mixed freely:
/// `auto d = largest_difference(got, want); CHECK_MESSAGE(d.relative <= 1e-6, d.str());`
template <class Got, class Want>
Difference largest_difference(const Got& got, const Want& want, const Shape& shape = {}) {
  auto doubles = [](const auto& range) {
    std::vector<double> values;
    values.reserve(std::size(range));
    for (auto v : range) values.push_back(static_cast<double>(v));
    return values;
  };
  return largest_difference_of(doubles(got), doubles(want), shape);
}

/// Whether two contiguous ranges are equal to the last bit (NaN and -0 included): for results at different thread
/// counts.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  static_assert(sizeof(*std::data(a)) == sizeof(*std::data(b)));
  return std::size(a) == std::size(b) &&
         (std::size(a) == 0 || std::memcmp(std::data(a), std::data(b), std::size(a) * sizeof(*std::data(a))) == 0);
}

/// A flat position in a dense array of that shape as "(2, 0, 5)".
std::string describe_index(std::int64_t flat, const Shape& shape);

/// Distance from got to the true value in units of the last place of a float at that value (denormals included): 0.5 is
/// a correctly rounded result. 0 for equal specials, infinite for unequal ones; a truth beyond the largest float counts
/// as infinity.
double ulps(float got, long double truth);

}  // namespace ff::test
