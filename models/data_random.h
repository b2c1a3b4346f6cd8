#pragma once

#include <cstdint>
#include <vector>

#include "ff/core/random.h"

namespace ff::models {

/// What random numbers of the data are for.
enum class DataStream : std::uint64_t { order = 1, augmentation, windows, mixing };

/// The stretch of random numbers of one stream in one epoch. It has nothing in common with other streams and epochs,
/// nor with a Generator of the same seed.
RandomKey data_key(std::uint64_t seed, DataStream stream, std::int64_t epoch);

/// The i-th uniform number of a stretch in 0 .. n - 1, from words 2 i and 2 i + 1 of it (uniform up to n / 2^64).
std::int64_t random_below(RandomKey key, std::uint64_t i, std::int64_t n);

/// A random permutation of 0 .. n - 1 that depends on the key alone.
std::vector<std::int64_t> random_permutation(std::int64_t n, RandomKey key);

}  // namespace ff::models
