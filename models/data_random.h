#pragma once

#include <cstdint>
#include <vector>

#include "ff/core/random.h"

namespace ff::models {

/// What random numbers of the data are for.
enum class DataStream : std::uint64_t { order = 1, augmentation, windows };

/// The stretch of random numbers of one stream in one epoch. It has nothing in common with other streams and epochs,
/// nor with a Generator of the same seed.
RandomKey data_key(std::uint64_t seed, DataStream stream, std::int64_t epoch);

/// The i-th uniform number of a stretch in 0 .. n - 1, from words 2 i and 2 i + 1 of it (uniform up to n / 2^64).
std::int64_t random_below(RandomKey key, std::uint64_t i, std::int64_t n);

/// The stretch of one item, such as an image, of a stretch of data_key(): 2^22 numbers that no other item has.
RandomKey item_key(RandomKey key, std::int64_t item);

/// Random numbers from a stretch, one after the other.
class RandomDraws {
 public:
  explicit RandomDraws(RandomKey key) : key_(key) {}

  /// Uniform in 0 .. n - 1.
  std::int64_t below(std::int64_t n) { return random_below(key_, drawn_++, n); }
  /// Uniform in [low, high).
  double uniform(double low = 0, double high = 1);
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal.
  double normal();
  /// Fills x[0 .. n) with standard normal numbers.
  void normal(float* x, std::int64_t n);

 private:
  RandomKey key_;
  std::uint64_t drawn_ = 0;  // numbers of 64 bits
};

/// A random permutation of 0 .. n - 1 that depends on the key alone.
std::vector<std::int64_t> random_permutation(std::int64_t n, RandomKey key);

}  // namespace ff::models
