#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// y = x / sqrt(mean(x^2) + eps) * weight over rows of a dense (rows, n) array of f32 or f64; weight (n) may be null.
/// rrms = 1 / sqrt(mean(x^2) + eps), (rows), is kept for the backward pass.
void rms_norm(DType dtype, std::int64_t rows, std::int64_t n, double eps, const void* x, const void* weight, void* y,
              void* rrms);

/// With h = x rrms and g = dy weight: dx = rrms (g - h mean(g h)), dweight = sum_rows dy h. Null results are left out.
/// Sums over rows in fixed blocks.
void rms_norm_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* weight,
                       const void* rrms, const void* dy, void* dx, void* dweight);

}  // namespace ff::cpu
