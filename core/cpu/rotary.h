#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// Which angles a rotation has: pair i of D features at position offset + n turns by (offset + n) base^(-2 i / D), or
/// back. Pair i is of features (2 i, 2 i + 1) where interleaved, else (i, i + D / 2).
struct Rotation {
  double base;
  std::int64_t offset;
  bool interleaved, back;
};

/// x (count, positions, features) dense to y; features even; f32 or f64.
void rotate_pairs(DType dtype, std::int64_t count, std::int64_t positions, std::int64_t features, const Rotation& r,
                  const void* x, void* y);

}  // namespace ff::cpu
