#pragma once

#include <functional>

#include "ff/core/cpu/decode.h"
#include "ff/core/cpu/scratch.h"

namespace ff::cpu::decode {

/// Keys of a range, whose scores and values one task works off: scores of all queries stay in the first-level cache.
inline constexpr std::int64_t key_range = 256;
/// Keys scored at a time: a multiple of any vector's lanes, and what rows of scores are padded to.
inline constexpr std::int64_t key_block = 16;

/// What a range of keys gives a query: weights are relative to 2^(power reference).
struct Part {
  float reference = 0;
  double sum = 0;           ///< of weights; 0 where no key is seen, and the reference without meaning
  float* values = nullptr;  ///< sum_j w_j v_j, (E)
};

/// Calls attend(tile, parts), which fills in a part for each query, for each range of keys of each head, on all threads
/// (key_cost: about how many numbers a pair of query and key takes to compute), and puts the parts together, first
/// being one more of them with values of 0:
///   out_i = sum_ranges 2^(power reference) values / sum_ranges 2^(power reference) sum
void attend_ranges(const AttentionSizes&, std::int64_t key_cost, double power, const Part& first, Heads<float> out,
                   const std::function<void(const AttentionTile&, Part*)>& attend);

}  // namespace ff::cpu::decode
