#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// An array seen as (outer, n, inner), dense, with an index along the middle: indices are checked before, 0 <= index <
/// n.

/// y[o, j, i] = x[o, index[j], i], j in [0, count); any dtype. Rows of an embedding: outer 1.
void index_select(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, const void* x,
                  std::int64_t count, const std::int64_t* index, void* y);

/// y[o, index[j], i] += x[o, j, i], in the order of j, f32, f64, i32 or i64. The gradient of index_select.
void index_add(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
               const std::int64_t* index, const void* x);

/// y[o, j, i] = x[o, index[o, j, i], i], index of shape (outer, count, inner); any dtype.
void gather(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, const void* x, std::int64_t count,
            const std::int64_t* index, void* y);

/// y[o, index[o, j, i], i] += x[o, j, i], in the order of j. The gradient of gather.
void scatter_add(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
                 const std::int64_t* index, const void* x);

/// y[o, index[o, j, i], i] = x[o, j, i], in the order of j, so that the last stays; any dtype.
void scatter(DType dtype, std::int64_t outer, std::int64_t n, std::int64_t inner, void* y, std::int64_t count,
             const std::int64_t* index, const void* x);

/// The first index outside [0, n) as its position in index, or -1 if all are inside.
std::int64_t find_out_of_range(std::int64_t count, const std::int64_t* index, std::int64_t n);

}  // namespace ff::cpu
