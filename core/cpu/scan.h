#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// Row by row over dense (rows, n) arrays of f32, f64 or i64 (cast others before). Floats are accumulated in double;
/// integers wrap around.

/// y_j = x_0 + .. + x_j; backwards: x_j + .. + x_(n-1), which is the gradient of the former.
void cumsum(DType dtype, std::int64_t rows, std::int64_t n, bool backwards, const void* x, void* y);

/// y_j = x_0 .. x_j, multiplied.
void cumprod(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y);
/// dx_i = sum_(j >= i) dy_j times the product of x_0 .. x_j without x_i: nothing is divided, so that zeros in x do no
/// harm. f32 or f64.
void cumprod_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* dy, void* dx);

/// The gradient of the product of each row: dx_i = dy times the product of the row without x_i. x, dx (rows, n), dy
/// (rows). f32 or f64.
void prod_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* dy, void* dx);

}  // namespace ff::cpu
