#pragma once

#include <cstdint>
#include <vector>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// The positions of what is not 0 among n booleans, ascending.
std::vector<std::int64_t> positions_of_true(std::int64_t n, const std::uint8_t* x);

/// y[r, j] = the number of entries of row r of `sorted` (rows, n), ascending, that are less than values[r, j], values
/// (rows, count), or with `right` not greater. NaN counts as the largest. With shared, all rows look in the one of
/// sorted (n,).
void searchsorted(DType dtype, bool right, bool shared, std::int64_t rows, std::int64_t n, std::int64_t count,
                  const void* sorted, const void* values, std::int64_t* y);

}  // namespace ff::cpu
