#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// index (rows, k) = positions of the k smallest entries of each row of x, a dense (rows, n) array, in ascending order;
/// descending: of the k largest, largest first. Equal entries come in the order they stand in, NaN counts as larger
/// than any number. 0 <= k <= n, any dtype.
void sort(DType dtype, std::int64_t rows, std::int64_t n, std::int64_t k, bool descending, const void* x,
          std::int64_t* index);

}  // namespace ff::cpu
