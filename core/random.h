#pragma once

#include <array>
#include <cstdint>

namespace ff {

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four random
/// 32-bit numbers that depend on seed and counter alone.
std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t counter);

/// A stretch of random numbers: number i is word i % 4 of philox(seed, offset + i / 4), whoever computes it.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t offset = 0;
};

/// The i-th 32-bit number of a stretch.
inline std::uint32_t random_bits(RandomKey key, std::uint64_t i) { return philox(key.seed, key.offset + i / 4)[i % 4]; }

/// Hands out stretches of random numbers, one after the other. Copying it copies its state.
class Generator {
 public:
  explicit Generator(std::uint64_t seed = 0) : key_{seed, 0} {}
  /// The next stretch, of at least count numbers.
  RandomKey next(std::uint64_t count);
  /// Seed and position, all there is to its state.
  RandomKey state() const { return key_; }
  void set_state(RandomKey state) { key_ = state; }

 private:
  RandomKey key_;
};

/// The generator that random ops use where none is given. Not to be used from several threads at once.
Generator& default_generator();

/// Starts default_generator() anew from seed.
void manual_seed(std::uint64_t seed);

/// Uniform numbers in [0, 1): fills x[0..n) from a stretch; float takes 24 bits of a 32-bit number, double 53 of two.
void fill_uniform(float* x, std::int64_t n, RandomKey key);
void fill_uniform(double* x, std::int64_t n, RandomKey key);

/// Standard normal numbers by the Box-Muller transform, two from two uniform ones.
void fill_normal(float* x, std::int64_t n, RandomKey key);
void fill_normal(double* x, std::int64_t n, RandomKey key);

/// keep[i] = 1 with probability 1 - p, else 0: word i of the stretch is at least p 2^32.
void fill_keep(std::uint8_t* keep, std::int64_t n, double p, RandomKey key);

/// Words below this are dropped with probability p, 0 <= p < 1.
std::uint32_t drop_threshold(double p);

}  // namespace ff
