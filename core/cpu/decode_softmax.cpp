#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/cpu/decode.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/decode_softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ff/core/cpu/decode-inl.h"
#include "ff/core/cpu/exp2-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::decode {
namespace HWY_NAMESPACE {
namespace {

// scores[j] = q . k_j of a block of keys, turned over; each in two sums.
HWY_INLINE void ScoreBlock(const float* keys, std::int64_t dim, const float* q, float* scores) {
  const D d;
  for (std::int64_t j = 0; j < key_block; j += static_cast<std::int64_t>(hn::Lanes(d))) {
    V even = hn::Zero(d), odd = even;
    std::int64_t f = 0;
    for (; f + 2 <= dim; f += 2) {
      even = hn::MulAdd(hn::Set(d, q[f]), hn::LoadU(d, keys + f * key_block + j), even);
      odd = hn::MulAdd(hn::Set(d, q[f + 1]), hn::LoadU(d, keys + (f + 1) * key_block + j), odd);
    }
    if (f < dim) even = hn::MulAdd(hn::Set(d, q[f]), hn::LoadU(d, keys + f * key_block + j), even);
    hn::StoreU(hn::Add(even, odd), d, scores + j);
  }
}

// Scores become weights; width is a multiple of key_block, the scores beyond the keys being -infinity.
void Weigh(std::int64_t width, float* scores, Part& part) {
  const D d;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V largest = hn::Set(d, -infinity), sum = hn::Zero(d);
  for (std::int64_t j = 0; j < width; j += lanes) largest = hn::Max(largest, hn::LoadU(d, scores + j));
  part.reference = hn::GetLane(hn::MaxOfLanes(d, largest));
  const V base = hn::Set(d, part.reference == -infinity ? 0.0f : part.reference);  // not -inf + inf
  for (std::int64_t j = 0; j < width; j += lanes) {
    const V w = cpu::HWY_NAMESPACE::exp2(d, hn::Sub(hn::LoadU(d, scores + j), base));
    sum = hn::Add(sum, w);
    hn::StoreU(w, d, scores + j);
  }
  part.sum = double{hn::GetLane(hn::SumOfLanes(d, sum))};
}

void SoftmaxRangeImpl(const AttentionSizes& s, const AttentionMask& mask, const Heads<const float>& k,
                      const Heads<const float>& v, const float* queries, const AttentionTile& tile, Part* parts) {
  constexpr std::int64_t ld = key_range;
  const Scratch<float> scores(tile.queries * ld), block(s.dim * key_block);
  for (std::int64_t j = 0; j < tile.keys; j += key_block) {
    TurnKeys(std::min(key_block, tile.keys - j), s.dim, k.at(tile.b, tile.h, tile.key + j), k.row, block.data());
    for (std::int64_t i = 0; i < tile.queries; ++i)
      ScoreBlock(block.data(), s.dim, queries + i * s.dim, scores.data() + i * ld + j);
  }
  hide_masked(s, mask, tile, scores.data(), ld);
  const std::int64_t width = (tile.keys + key_block - 1) / key_block * key_block;
  for (std::int64_t i = 0; i < tile.queries; ++i) {
    float* row = scores.data() + i * ld;
    std::fill(row + tile.keys, row + width, -std::numeric_limits<float>::infinity());
    Weigh(width, row, parts[i]);
    WeighValues(tile.keys, s.value_dim, row, v.at(tile.b, tile.h, tile.key), v.row, parts[i].values);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::decode
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
namespace decode {
HWY_EXPORT(SoftmaxRangeImpl);
}

void softmax_decode(const AttentionSizes& s, const AttentionMask& mask, double scale, Heads<const float> q,
                    Heads<const float> k, Heads<const float> v, Heads<float> out) {
  const auto factor = static_cast<float>(scale * std::numbers::log2e);
  const Scratch<float> queries(s.batch * s.heads * s.queries * s.dim);
  for (std::int64_t row = 0; row < s.batch * s.heads * s.queries; ++row) {
    const std::int64_t head = row / s.queries;
    const float* from = q.at(head / s.heads, head % s.heads, row % s.queries);
    for (std::int64_t d = 0; d < s.dim; ++d) queries[row * s.dim + d] = from[d] * factor;
  }
  auto attend = [&](const AttentionTile& tile, decode::Part* parts) {
    const float* own = queries.data() + (tile.b * s.heads + tile.h) * s.queries * s.dim;
    HWY_DYNAMIC_DISPATCH(decode::SoftmaxRangeImpl)(s, mask, k, v, own, tile, parts);
  };
  decode::attend_ranges(s, (s.dim + s.value_dim) / 4 + 1, 1, {}, out, attend);
}

}  // namespace ff::cpu
#endif
