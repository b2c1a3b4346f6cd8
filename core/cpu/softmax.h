#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// Row by row over dense (rows, n) arrays of f32 or f64. A row of all -inf gives 0 in softmax and -inf in log_softmax.
void softmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y);
/// dx = y (dy - sum y dy)
void softmax_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx);
/// y = x - log sum exp x
void log_softmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y);
/// dx = dy - exp(y) sum dy
void log_softmax_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx);

/// Cross entropy of logits x (rows, n) with class indices target (rows): loss_i = (1 - smoothing) (lse_i - x_i,t) +
/// smoothing (lse_i - mean_j x_ij), 0 where target_i == ignore_index. lse (rows) receives log sum exp x_i. Targets
/// other than ignore_index must be in [0, n): check before.
void cross_entropy(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const std::int64_t* target,
                   std::int64_t ignore_index, double smoothing, void* loss, void* lse);
/// dx_ij = dloss_i (exp(x_ij - lse_i) - (1 - smoothing) [j == t_i] - smoothing / n); 0 in ignored rows. dx may be x.
void cross_entropy_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const std::int64_t* target,
                            std::int64_t ignore_index, double smoothing, const void* lse, const void* dloss, void* dx);

}  // namespace ff::cpu
