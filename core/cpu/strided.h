#pragma once

// Walking arrays through their strides.

#include <cstdint>
#include <initializer_list>

#include "ff/core/shape.h"

namespace ff::cpu {

/// Drops dimensions of size 1 and merges neighbours that are one for every operand (strides[i] of each: how it is read
/// along the dimensions of shape). The order of elements is kept. A shape of one element becomes (1,), its strides 0;
/// an empty one (0,).
void coalesce(Shape& shape, std::initializer_list<Strides*> strides);

/// Whether strides read shape as a dense array, of which dimensions of size 1 do not matter.
bool is_dense(const Shape& shape, const Strides& strides);

/// Where the element at a flat (row-major) position stands, in elements.
std::int64_t offset_of(std::int64_t flat, const Shape& shape, const Strides& strides);

/// Copies elements [begin, begin + n) of a strided array, counted row-major, to a dense one. Elements are of
/// element_size bytes: 1, 4 or 8.
void gather_block(std::int64_t element_size, const Shape& shape, const Strides& strides, const void* x,
                  std::int64_t begin, std::int64_t n, void* y);

}  // namespace ff::cpu
