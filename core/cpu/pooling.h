#pragma once

#include <cstdint>
#include <span>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// What one output row (or column) of a pooling sees of the image: begin, begin + step, ... below end, at least one
/// and all inside; an average is divided by the divisors of its row and of its column.
struct PoolRange {
  std::int64_t begin, end;
  double divisor = 1;
};

/// All of one dimension.
struct PoolAxis {
  std::int64_t size, step;
  std::span<const PoolRange> ranges;
  std::int64_t outputs() const { return static_cast<std::int64_t>(ranges.size()); }
};

/// Of each of `planes` dense images (rows.size, columns.size): the largest entry that each output sees, y (planes,
/// rows.outputs(), columns.outputs()), and its position in the plane: the first of equals, and of NaN the last. f32 or
/// f64.
void max_pool(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* x, void* y,
              std::int64_t* index);

/// The sum of what each output sees over both divisors.
void avg_pool(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* x, void* y);

/// The adjoint: x, which is overwritten, from y.
void avg_pool_adjoint(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* y,
                      void* x);

}  // namespace ff::cpu
