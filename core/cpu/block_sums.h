#pragma once

#include <cstdint>

#include "ff/core/cpu/scratch.h"

namespace ff::cpu {

/// y[i] = the sum of blocks[i], blocks[n + i], blocks[2 n + i], ..., in that order: what chunks of rows summed up each
/// by itself, put together the same way at any number of threads.
template <class T>
void sum_blocks(const Scratch<double>& blocks, std::int64_t n, T* y) {
  Scratch<double> total(n, 0.0);
  for (std::int64_t block = 0; block < blocks.size(); block += n)
    for (std::int64_t i = 0; i < n; ++i) total[i] += blocks[block + i];
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(total[i]);
}

}  // namespace ff::cpu
