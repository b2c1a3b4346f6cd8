#pragma once

// The inner loops of elementwise operations: contiguous operands, one operation and dtype. For elementwise.cpp.

#include <cstdint>

#include "ff/core/cpu/elementwise.h"

namespace ff::cpu {

/// y[i] = op(x[i]), i < n. y may be x.
using UnaryKernel = void (*)(std::int64_t n, const void* x, void* y);
/// y[i] = op(a[i], b[i]), i < n. y may be a or b.
using BinaryKernel = void (*)(std::int64_t n, const void* a, const void* b, void* y);

/// Throws InternalError where the operation does not take the dtype.
UnaryKernel unary_kernel(Unary op, DType dtype);
BinaryKernel binary_kernel(Binary op, DType dtype);

/// Whether an operation costs more than the traffic to memory: such loops are cut finer between threads.
bool is_costly(Unary op);
bool is_costly(Binary op);

}  // namespace ff::cpu
