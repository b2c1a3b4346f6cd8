#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ff::conformance {

/// Cases that need not pass: all of an operator, or one by name.
struct Exclusion {
  std::string_view op, name;  ///< one of them
  std::string_view reason;
};
const std::vector<Exclusion>& exclusions();

/// How far floating results may be off: f32 elements by relative |want| + of_largest max |want|, f64 ones by 1e-7 of
/// that.
struct Tolerance {
  double relative = 1e-5, of_largest = 0;
};

/// A case that is given more than the others, and why.
struct Allowance {
  std::string_view name;
  Tolerance tolerance;
  std::string_view reason;
};
const std::vector<Allowance>& allowances();

}  // namespace ff::conformance
