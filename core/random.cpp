#include "ff/core/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/core/parallel.h"

namespace ff {
namespace {

constexpr std::int64_t grain = 1 << 14;  // numbers a task makes; a multiple of 4, so that no block of words is cut

std::uint64_t multiply(std::uint32_t a, std::uint32_t b) { return std::uint64_t{a} * b; }

// (0, 1], so that its logarithm is finite.
float open_unit(std::uint32_t bits) { return static_cast<float>((bits >> 8) + 1) * 0x1p-24f; }

// Words lo and hi as a number of 53 bits in [0, 2^53).
double bits53(std::uint32_t lo, std::uint32_t hi) {
  return static_cast<double>(((std::uint64_t{hi} << 32) | lo) >> 11);
}

void box_muller(float u, float v, float* out) {
  const float radius = std::sqrt(-2.0f * std::log(u)), angle = 2.0f * std::numbers::pi_v<float> * v;
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}

void box_muller(double u, double v, double* out) {
  const double radius = std::sqrt(-2.0 * std::log(u)), angle = 2.0 * std::numbers::pi * v;
  out[0] = radius * std::cos(angle);
  out[1] = radius * std::sin(angle);
}

// per_block values of T from each block of four words, made by block(words, out).
template <int per_block, class T, class F>
void fill(T* x, std::int64_t n, RandomKey key, F block) {
  parallel_for(n, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += per_block) {
      T values[per_block];
      block(philox(key.seed, key.offset + static_cast<std::uint64_t>(i / per_block)), values);
      for (std::int64_t j = 0; j < per_block && i + j < end; ++j) x[i + j] = values[j];
    }
  });
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t seed, std::uint64_t counter) {
  std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32), c2 = 0,
                c3 = 0;
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = multiply(0xD2511F53u, c0), p1 = multiply(0xCD9E8D57u, c2);
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;  // golden ratio
    k1 += 0xBB67AE85u;  // sqrt(3) - 1
  }
  return {c0, c1, c2, c3};
}

RandomKey Generator::next(std::uint64_t count) {
  const RandomKey stretch = key_;
  key_.offset += (count + 3) / 4;
  return stretch;
}

Generator& default_generator() {
  static Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator() = Generator(seed); }

void fill_uniform(float* x, std::int64_t n, RandomKey key) {
  fill<4>(x, n, key, [](auto words, float* out) {
    for (int j = 0; j < 4; ++j) out[j] = static_cast<float>(words[static_cast<std::size_t>(j)] >> 8) * 0x1p-24f;
  });
}

void fill_uniform(double* x, std::int64_t n, RandomKey key) {
  fill<2>(x, n, key, [](auto words, double* out) {
    out[0] = bits53(words[0], words[1]) * 0x1p-53;
    out[1] = bits53(words[2], words[3]) * 0x1p-53;
  });
}

void fill_normal(float* x, std::int64_t n, RandomKey key) {
  fill<4>(x, n, key, [](auto words, float* out) {
    box_muller(open_unit(words[0]), static_cast<float>(words[1] >> 8) * 0x1p-24f, out);
    box_muller(open_unit(words[2]), static_cast<float>(words[3] >> 8) * 0x1p-24f, out + 2);
  });
}

void fill_normal(double* x, std::int64_t n, RandomKey key) {
  fill<2>(x, n, key, [](auto words, double* out) {
    box_muller((bits53(words[0], words[1]) + 1) * 0x1p-53, bits53(words[2], words[3]) * 0x1p-53, out);
  });
}

std::uint32_t drop_threshold(double p) { return static_cast<std::uint32_t>(std::min(p * 0x1p32, 0x1p32 - 1)); }

void fill_keep(std::uint8_t* keep, std::int64_t n, double p, RandomKey key) {
  const std::uint32_t threshold = drop_threshold(p);
  fill<4>(keep, n, key, [threshold](auto words, std::uint8_t* out) {
    for (int j = 0; j < 4; ++j) out[j] = words[static_cast<std::size_t>(j)] >= threshold;
  });
}

}  // namespace ff
