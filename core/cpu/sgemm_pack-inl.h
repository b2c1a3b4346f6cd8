// Packing of float matrices for sgemm_kernel-inl.h: per-target code, included again for each target.

#if defined(FF_CORE_CPU_SGEMM_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_SGEMM_PACK_INL_H_
#undef FF_CORE_CPU_SGEMM_PACK_INL_H_
#else
#define FF_CORE_CPU_SGEMM_PACK_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// to[l * step + j] = from[l * ld + j] for l < depth, j < width, where width is at most the vector's lanes; beyond
/// width up to the whole vector, zeros.
template <class D>
HWY_INLINE void pack_rows(D d, const float* from, std::int64_t ld, std::int64_t width, std::int64_t depth, float* to,
                          std::int64_t step) {
  if (width == static_cast<std::int64_t>(hn::Lanes(d))) {
    for (std::int64_t l = 0; l < depth; ++l) hn::StoreU(hn::LoadU(d, from + l * ld), d, to + l * step);
    return;
  }
  const auto valid = hn::FirstN(d, static_cast<std::size_t>(width));
  for (std::int64_t l = 0; l < depth; ++l) hn::StoreU(hn::MaskedLoad(valid, d, from + l * ld), d, to + l * step);
}

// Four numbers of each of four or two rows, one row a block of 128 bits.
HWY_INLINE hn::Vec<hn::CappedTag<float, 16>> join(hn::CappedTag<float, 16> d, hn::Vec128<float> r0,
                                                  hn::Vec128<float> r1, hn::Vec128<float> r2, hn::Vec128<float> r3) {
  const hn::Half<decltype(d)> half;
  return hn::Combine(d, hn::Combine(half, r3, r2), hn::Combine(half, r1, r0));
}

/// to[l * step + j] = from[j * ld + l] for l < depth, j < width, where width is at most the vector's lanes, 8 or 16;
/// beyond width up to the whole vector, the last row again. Takes 4 columns of all rows at a time: block i of vector r
/// is of row 4 i + r, and a transposition of 4 x 4 numbers within the blocks puts the rows side by side.
template <class D>
void pack_columns(D d, const float* from, std::int64_t ld, std::int64_t width, std::int64_t depth, float* to,
                  std::int64_t step) {
  constexpr std::int64_t lanes = hn::MaxLanes(D()), blocks = lanes / 4;
  const hn::CappedTag<float, 4> d4;
  const hn::Repartition<double, D> pairs;
  const float* row[lanes];
  for (std::int64_t j = 0; j < lanes; ++j) row[j] = from + std::min(j, width - 1) * ld;
  auto transpose = [&](std::int64_t l, std::int64_t columns, auto load) HWY_ATTR {
    hn::Vec<D> v[4];
    for (std::int64_t r = 0; r < 4; ++r) {
      if constexpr (blocks == 4)
        v[r] = join(d, load(row[r] + l), load(row[4 + r] + l), load(row[8 + r] + l), load(row[12 + r] + l));
      else
        v[r] = hn::Combine(d, load(row[4 + r] + l), load(row[r] + l));
    }
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, v[0], v[1]));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, v[2], v[3]));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, v[0], v[1]));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, v[2], v[3]));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to + l * step);
    if (columns > 1) hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + (l + 1) * step);
    if (columns > 2) hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + (l + 2) * step);
    if (columns > 3) hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + (l + 3) * step);
  };
  std::int64_t l = 0;
  for (; l + 4 <= depth; l += 4) transpose(l, 4, [d4](const float* p) HWY_ATTR { return hn::LoadU(d4, p); });
  if (l == depth) return;
  const auto rest = hn::FirstN(d4, static_cast<std::size_t>(depth - l));
  transpose(l, depth - l, [d4, rest](const float* p) HWY_ATTR { return hn::MaskedLoad(rest, d4, p); });
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
