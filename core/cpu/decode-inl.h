// What the two kernels of core/cpu/decode.h share: per-target code, included again for each target.

#if defined(FF_CORE_CPU_DECODE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_DECODE_INL_H_
#undef FF_CORE_CPU_DECODE_INL_H_
#else
#define FF_CORE_CPU_DECODE_INL_H_
#endif

#include <algorithm>

#include <hwy/highway.h>

#include "ff/core/cpu/decode_ranges.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::decode {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, key_block>;
using V = hn::Vec<D>;

#if HWY_TARGET != HWY_SCALAR
// Four floats of every fourth row from data on, one after the other.
template <class DV>
HWY_INLINE hn::Vec<DV> LoadRows(DV d, const float* data, std::int64_t row) {
  if constexpr (hn::MaxLanes(DV()) == 4) {
    return hn::LoadU(d, data);
  } else {
    const hn::Half<DV> half;
    const auto rows = static_cast<std::int64_t>(hn::Lanes(half));
    return hn::Combine(d, LoadRows(half, data + rows * row, row), LoadRows(half, data, row));
  }
}

// Four features of a vector of keys, turned over: blocks of four by four, next to each other.
HWY_INLINE void TurnFour(const float* from, std::int64_t row, float* to) {
  const D d;
  const V row0 = LoadRows(d, from, row), row1 = LoadRows(d, from + row, row);
  const V row2 = LoadRows(d, from + 2 * row, row), row3 = LoadRows(d, from + 3 * row, row);
  const V even_low = hn::InterleaveLower(d, row0, row2), odd_low = hn::InterleaveLower(d, row1, row3);
  const V even_high = hn::InterleaveUpper(d, row0, row2), odd_high = hn::InterleaveUpper(d, row1, row3);
  hn::StoreU(hn::InterleaveLower(d, even_low, odd_low), d, to);
  hn::StoreU(hn::InterleaveUpper(d, even_low, odd_low), d, to + key_block);
  hn::StoreU(hn::InterleaveLower(d, even_high, odd_high), d, to + 2 * key_block);
  hn::StoreU(hn::InterleaveUpper(d, even_high, odd_high), d, to + 3 * key_block);
}
#endif

/// Turns a block of keys over: to[d * key_block + j] = from[j * row + d]. Fewer keys than a block are filled up with
/// copies of the last one.
inline void TurnKeys(std::int64_t keys, std::int64_t dim, const float* from, std::int64_t row, float* to) {
  std::int64_t d = 0;
#if HWY_TARGET != HWY_SCALAR
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(D()));
  for (; keys >= key_block && d + 4 <= dim; d += 4)
    for (std::int64_t j = 0; j < key_block; j += lanes) TurnFour(from + j * row + d, row, to + d * key_block + j);
#endif
  for (; d < dim; ++d)
    for (std::int64_t j = 0; j < key_block; ++j) to[d * key_block + j] = from[std::min(j, keys - 1) * row + d];
}

// kVectors vectors of sum_j w_j v_j from value v on, in several sums that are under way at once.
template <int kVectors>
HWY_INLINE void SumValues(std::int64_t keys, const float* w, const float* v, std::int64_t row, float* sum) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  constexpr int kSums = 8 / kVectors;
  hn::Vec<decltype(d)> s[kSums][kVectors];
  for (auto& vectors : s)
    for (auto& vector : vectors) vector = hn::Zero(d);
  std::int64_t j = 0;
  for (; j + kSums <= keys; j += kSums)
    for (int i = 0; i < kSums; ++i)
      for (int n = 0; n < kVectors; ++n)
        s[i][n] = hn::MulAdd(hn::Set(d, w[j + i]), hn::LoadU(d, v + (j + i) * row + n * lanes), s[i][n]);
  for (; j < keys; ++j)
    for (int n = 0; n < kVectors; ++n)
      s[0][n] = hn::MulAdd(hn::Set(d, w[j]), hn::LoadU(d, v + j * row + n * lanes), s[0][n]);
  for (int n = 0; n < kVectors; ++n) {
    for (int half = kSums / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) s[i][n] = hn::Add(s[i][n], s[i + half][n]);
    hn::StoreU(s[0][n], d, sum + n * lanes);
  }
}

/// sum[e] = sum_j w_j v_j[e], v_j at v + j * row.
inline void WeighValues(std::int64_t keys, std::int64_t features, const float* w, const float* v, std::int64_t row,
                        float* sum) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  std::int64_t e = 0;
  for (; e + 4 * lanes <= features; e += 4 * lanes) SumValues<4>(keys, w, v + e, row, sum + e);
  for (; e + lanes <= features; e += lanes) SumValues<1>(keys, w, v + e, row, sum + e);
  for (; e < features; ++e) {
    double total = 0;
    for (std::int64_t j = 0; j < keys; ++j) total += double{w[j]} * double{v[j * row + e]};
    sum[e] = static_cast<float>(total);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::decode
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
