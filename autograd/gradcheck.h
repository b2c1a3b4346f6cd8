#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ff/autograd/functional.h"
#include "ff/core/tensor.h"

namespace ff {

/// What gradcheck() found.
struct GradcheckResult {
  /// Largest |analytic - numeric| of any entry, relative to the largest entry of that gradient (or 1 where that is
  /// less).
  double error = 0;
  /// Where, and both values.
  std::string where;
};

/// Compares the gradient of sum(c f(inputs)), c a random cotangent (ones would hide errors in anything normalised),
/// with central differences for every entry of every floating input. The inputs should be f64, and at a distance from
/// kinks; f must give the same each time. Throws Error where f's result does not depend on an input.
GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, double step = 1e-5,
                          std::uint64_t seed = 1);

/// gradcheck() of the gradient itself, as a function of the inputs and the cotangent.
GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs, double step = 1e-5,
                              std::uint64_t seed = 1);

}  // namespace ff
