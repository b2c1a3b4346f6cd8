#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// A dimension of n entries made one of `outputs`: output j is the sum over t in [0, taps) of weight[j taps + t] times
/// entry index[j taps + t], which is inside. What has weight 0 is not looked at.
struct Resampling {
  std::int64_t n, outputs, taps;
  const std::int64_t* index;
  const double* weight;
};

/// x (outer, n, inner) to y (outer, outputs, inner), dense; f32 or f64.
void resample(DType dtype, std::int64_t outer, std::int64_t inner, const Resampling& r, const void* x, void* y);

/// The adjoint: x, which is overwritten, from y.
void resample_adjoint(DType dtype, std::int64_t outer, std::int64_t inner, const Resampling& r, const void* y, void* x);

}  // namespace ff::cpu
