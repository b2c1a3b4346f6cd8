#pragma once

#include <cstdint>

#include "ff/core/cpu/product.h"

namespace ff::cpu {

/// Products of float matrices on vectors of 16 lanes, on the calling thread.
struct Sgemm {
  /// Computes one product. An entry of C is the sum over blocks of k, one after the other, of sums in registers: its
  /// bits depend on k alone, not on m, n, the layout or the place of the entry. memory: floats for packed operands.
  void (*run)(const Product<float>& p, float* memory);
  /// How many of them it needs, perhaps none.
  std::int64_t (*memory)(const Product<float>& p);
};

/// Null where the machine has no such vectors: there OpenBLAS is as fast.
const Sgemm* find_sgemm();

}  // namespace ff::cpu
