#include "ff/models/data_random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace ff::models {
namespace {

__extension__ typedef unsigned __int128 uint128;

}  // namespace

RandomKey data_key(std::uint64_t seed, DataStream stream, std::int64_t epoch) {
  // Counters from 2^48 on, where no Generator comes; the words make the seed of a stretch of its own.
  const std::uint64_t counter = static_cast<std::uint64_t>(stream) << 48 | static_cast<std::uint64_t>(epoch);
  const auto words = philox(seed, counter);
  return {std::uint64_t{words[0]} << 32 | words[1], 0};
}

std::int64_t random_below(RandomKey key, std::uint64_t i, std::int64_t n) {
  const auto words = philox(key.seed, key.offset + i / 2);
  const std::size_t first = i % 2 * 2;
  const std::uint64_t random = std::uint64_t{words[first]} << 32 | words[first + 1];
  return static_cast<std::int64_t>(uint128{random} * static_cast<std::uint64_t>(n) >> 64);
}

RandomKey item_key(RandomKey key, std::int64_t item) {
  return {key.seed, key.offset + (static_cast<std::uint64_t>(item) << 20)};
}

double RandomDraws::uniform(double low, double high) {
  constexpr std::int64_t steps = std::int64_t{1} << 53;
  return low + (high - low) * (static_cast<double>(below(steps)) / static_cast<double>(steps));
}

double RandomDraws::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));  // Box and Muller
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

void RandomDraws::normal(float* x, std::int64_t n) {
  const std::uint64_t begun = (drawn_ + 1) / 2;  // blocks of four words
  fill_normal(x, n, {key_.seed, key_.offset + begun});
  drawn_ = 2 * (begun + (static_cast<std::uint64_t>(n) + 3) / 4);
}

std::vector<std::int64_t> random_permutation(std::int64_t n, RandomKey key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i)  // Fisher and Yates
    std::swap(order[i - 1], order[static_cast<std::size_t>(random_below(key, i, static_cast<std::int64_t>(i)))]);
  return order;
}

}  // namespace ff::models
