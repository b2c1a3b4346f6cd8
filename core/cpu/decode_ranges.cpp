#include "ff/core/cpu/decode_ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ff/core/parallel.h"

namespace ff::cpu::decode {
namespace {

// What a task should at least compute, in units of key_cost: some ten microseconds.
constexpr std::int64_t task_cost = 1 << 16;

void combine(const Part* parts, std::int64_t count, std::int64_t step, double power, const Part& first,
             std::int64_t features, double* sums, float* out) {
  float largest = first.sum == 0 ? -std::numeric_limits<float>::infinity() : first.reference;
  for (std::int64_t p = 0; p < count; ++p)
    if (parts[p * step].sum != 0) largest = std::fmax(largest, parts[p * step].reference);
  double total = first.sum == 0 ? 0 : first.sum * std::exp2(power * (double{first.reference} - largest));
  std::fill_n(sums, features, 0.0);
  for (std::int64_t p = 0; p < count; ++p) {
    const Part& part = parts[p * step];
    if (part.sum == 0) continue;
    const double scale = std::exp2(power * (double{part.reference} - largest));
    total += scale * part.sum;
    for (std::int64_t e = 0; e < features; ++e) sums[e] += scale * double{part.values[e]};
  }
  const double inverse = total == 0 ? 0 : 1 / total;
  for (std::int64_t e = 0; e < features; ++e) out[e] = static_cast<float>(sums[e] * inverse);
}

}  // namespace

void attend_ranges(const AttentionSizes& s, std::int64_t key_cost, double power, const Part& first, Heads<float> out,
                   const std::function<void(const AttentionTile&, Part*)>& attend) {
  const std::int64_t heads = s.batch * s.heads, ranges = num_chunks(s.keys, key_range),
                     parts = heads * ranges * s.queries;
  const Scratch<float> values(parts * s.value_dim);
  std::vector<Part> part(static_cast<std::size_t>(parts));
  for (std::int64_t i = 0; i < parts; ++i) part[static_cast<std::size_t>(i)].values = values.data() + i * s.value_dim;
  const std::int64_t cost = std::max<std::int64_t>(1, std::min(key_range, s.keys) * s.queries * key_cost);
  parallel_for(heads * ranges, std::max<std::int64_t>(1, task_cost / cost), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / ranges, key = task % ranges * key_range;
      attend({head / s.heads, head % s.heads, 0, s.queries, key, std::min(key_range, s.keys - key)},
             part.data() + task * s.queries);
    }
  });
  const Scratch<double> sums(s.value_dim);
  for (std::int64_t row = 0; row < heads * s.queries; ++row) {
    const std::int64_t head = row / s.queries, i = row % s.queries;
    combine(part.data() + head * ranges * s.queries + i, ranges, s.queries, power, first, s.value_dim, sums.data(),
            out.at(head / s.heads, head % s.heads, i));
  }
}

}  // namespace ff::cpu::decode
