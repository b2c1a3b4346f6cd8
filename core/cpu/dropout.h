#pragma once

#include <cstdint>

#include "ff/core/dtype.h"
#include "ff/core/random.h"

namespace ff::cpu {

/// y = residual + x factor over n dense elements of f32 or f64, residual 0 where null. The factor of each span
/// consecutive elements is 0 with probability p, else 1 / (1 - p), by one word of the stretch: word i / span for
/// element i, dropped below drop_threshold(p). What is dropped counts as 0, whatever it was. y may be x or residual.
void dropout(DType dtype, std::int64_t n, double p, RandomKey key, std::int64_t span, const void* x,
             const void* residual, void* y);

}  // namespace ff::cpu
