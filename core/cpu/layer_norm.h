#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// y = (x - mean) / sqrt(var + eps) * weight + bias over rows of a dense (rows, n) array of f32 or f64; weight and bias
/// (n), either may be null. mean and rstd = 1 / sqrt(var + eps), (rows) each, are kept for the backward pass. The
/// variance is the biased one, of two passes. With a residual (rows, n), that and x are added first, and sum (rows, n)
/// receives what is normalised.
void layer_norm(DType dtype, std::int64_t rows, std::int64_t n, double eps, const void* x, const void* weight,
                const void* bias, void* y, void* mean, void* rstd, const void* residual = nullptr, void* sum = nullptr);

/// With h = (x - mean) rstd and g = dy weight: dx = rstd (g - mean(g) - h mean(g h)), dweight = sum_rows dy h,
/// dbias = sum_rows dy. Null results are left out. Sums over rows in fixed blocks. Where dsum (rows, n) is not null, it
/// is added to dx.
void layer_norm_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* weight,
                         const void* mean, const void* rstd, const void* dy, void* dx, void* dweight, void* dbias,
                         const void* dsum = nullptr);

}  // namespace ff::cpu
