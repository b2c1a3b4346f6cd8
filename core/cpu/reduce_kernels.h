#pragma once

// The inner loops of reductions, for reduce.cpp.

#include <cstdint>

#include "ff/core/cpu/reduce.h"

namespace ff::cpu {

/// acc = op over n contiguous elements.
using ReduceRow = void (*)(std::int64_t n, const void* x, void* acc);
/// acc[c] = op over x[r * stride + c], r < rows, for each c < width.
using ReduceColumns = void (*)(std::int64_t rows, std::int64_t stride, std::int64_t width, const void* x, void* acc);

struct ReduceKernels {
  ReduceRow row = nullptr;
  ReduceColumns columns = nullptr;
};

/// What a reduction of that dtype is accumulated in: double for sums and products of floats, i64 for those of integers.
DType accumulator_dtype(Reduction op, DType dtype);

/// Kernels that read dtype and write accumulator_dtype. Throws InternalError where the reduction does not take the
/// dtype.
ReduceKernels reduce_kernels(Reduction op, DType dtype);

/// Sum of squares of n contiguous floating elements, which outside of runs are 0.
double sum_of_squares_kernel(DType dtype, std::int64_t n, const void* x, const std::vector<Run>& runs);

}  // namespace ff::cpu
