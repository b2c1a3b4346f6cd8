#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/cpu/fourier_tiles.h"
#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_pack.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr auto pi = std::numbers::pi_v<float>;

using D = hn::CappedTag<float, key_block>;

constexpr std::int64_t block = key_block;  // rows and features turned over at a time; tiles are padded to it

// Reads a block of features from d0 on of a row into `value`, in their units, and widens [low, high] by them. Whether
// all are finite; those that are not become 0.
HWY_INLINE bool ReadRow(const Features& features, const float* from, std::int64_t d0, float* value, float* low,
                        float* high) {
  const D d32;
  bool finite = true;
  for (std::int64_t d = 0; d < block; d += static_cast<std::int64_t>(hn::Lanes(d32))) {
    const auto v = hn::LoadU(d32, from + d), limit = hn::LoadU(d32, features.limit + d0 + d);
    const auto is_finite = hn::And(hn::IsFinite(v), hn::IsFinite(limit));
    finite = finite && hn::AllTrue(d32, is_finite);
    const auto in_units = hn::Mul(v, hn::LoadU(d32, features.unit + d0 + d));
    const auto packed = hn::IfThenElseZero(is_finite, hn::Min(hn::Max(in_units, hn::Neg(limit)), limit));
    hn::StoreU(packed, d32, value + d);
    hn::StoreU(hn::Min(packed, hn::LoadU(d32, low + d)), d32, low + d);
    hn::StoreU(hn::Max(packed, hn::LoadU(d32, high + d)), d32, high + d);
  }
  return finite;
}

// Writes column d of a block, d < dims, to to[d * stride].
HWY_INLINE void Transpose(const float (&b)[block][block], float* to, std::int64_t stride, std::int64_t dims) {
#if HWY_TARGET == HWY_SCALAR
  for (std::int64_t d = 0; d < dims; ++d)
    for (std::int64_t i = 0; i < block; ++i) to[d * stride + i] = b[i][d];
#else
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<double, 2> d2;
  for (std::int64_t i = 0; i < block; i += 4) {
    for (std::int64_t d = 0; d < dims; d += 4) {
      const auto r0 = hn::LoadU(d4, b[i] + d), r1 = hn::LoadU(d4, b[i + 1] + d);
      const auto r2 = hn::LoadU(d4, b[i + 2] + d), r3 = hn::LoadU(d4, b[i + 3] + d);
      const auto low01 = hn::BitCast(d2, hn::InterleaveLower(d4, r0, r1));
      const auto low23 = hn::BitCast(d2, hn::InterleaveLower(d4, r2, r3));
      const auto high01 = hn::BitCast(d2, hn::InterleaveUpper(d4, r0, r1));
      const auto high23 = hn::BitCast(d2, hn::InterleaveUpper(d4, r2, r3));
      const decltype(r0) columns[] = {hn::BitCast(d4, hn::InterleaveLower(d2, low01, low23)),
                                      hn::BitCast(d4, hn::InterleaveUpper(d2, low01, low23)),
                                      hn::BitCast(d4, hn::InterleaveLower(d2, high01, high23)),
                                      hn::BitCast(d4, hn::InterleaveUpper(d2, high01, high23))};
      for (std::int64_t c = 0; c < std::min<std::int64_t>(4, dims - d); ++c)
        hn::StoreU(columns[c], d4, to + (d + c) * stride + i);
    }
  }
#endif
}

void PackTileImpl(const Features& features, const float* data, std::int64_t row, std::int64_t rows, std::int64_t padded,
                  std::int64_t range_rows, const PackedTile& tile) {
  constexpr float largest = std::numeric_limits<float>::max();
  const std::int64_t dim = features.dim, width = round_up(dim, block), ranges = num_chunks(padded, range_rows) * width;
  std::fill_n(tile.poison, padded, 0.0f);
  std::fill_n(tile.low, ranges, largest);
  std::fill_n(tile.high, ranges, -largest);
  float b[block][block], end[block] = {};
  for (std::int64_t d0 = 0; d0 < dim; d0 += block) {
    const std::int64_t dims = std::min(block, dim - d0);
    for (std::int64_t i0 = 0; i0 < padded; i0 += block) {
      for (std::int64_t i = i0; i < i0 + block; ++i) {
        const float* from = data + std::min(i, rows - 1) * row + d0;
        if (dims < block) from = std::copy_n(from, dims, end) - dims;
        const std::int64_t range = i / range_rows * width + d0;
        if (!ReadRow(features, from, d0, b[i - i0], tile.low + range, tile.high + range))
          tile.poison[i] = std::numeric_limits<float>::quiet_NaN();
      }
      Transpose(b, tile.value + d0 * tile.stride + i0, tile.stride, dims);
    }
  }
}

// frac(value turns) as phase / 2^32 + tail. The product, in double, is exact but for the rounding of R / pi.
void FindPhasesImpl(const Features& features, std::int64_t d, std::int64_t padded, const PackedTile& tile) {
  const hn::CappedTag<double, block> d64;
  const hn::Rebind<float, decltype(d64)> d32;
  const hn::Rebind<std::int32_t, decltype(d64)> di32;
  const auto turns = hn::Set(d64, features.turns[d]);
  const float* value = tile.value + d * tile.stride;
  for (std::int64_t i = 0; i < padded; i += static_cast<std::int64_t>(hn::Lanes(d64))) {
    const auto u = hn::Mul(hn::PromoteTo(d64, hn::LoadU(d32, value + i)), turns);
    const auto units = hn::Mul(hn::Sub(u, hn::Round(u)), hn::Set(d64, 0x1p32));
    const auto whole = hn::DemoteTo(di32, hn::Round(units));  // saturates at 2^31, which leaves a tail of one unit
    const auto rest = hn::Mul(hn::Sub(units, hn::PromoteTo(d64, whole)), hn::Set(d64, 0x1p-32));
    hn::StoreU(whole, di32, tile.phase + d * tile.stride + i);
    hn::StoreU(hn::DemoteTo(d32, rest), d32, tile.tail + d * tile.stride + i);
  }
}

void ClassifyImpl(const Features& features, const float* q_low, const float* q_high, const float* k_low,
                  const float* k_high, Range* out) {
  for (std::int64_t d = 0; d < features.dim; ++d) {
    const float turns = std::max(k_high[d] - q_low[d], q_high[d] - k_low[d]) * std::abs(features.scale[d]);
    int range = 0;
    for (const float limit : range_limit) range += turns * pi > limit;
    out[d] = static_cast<Range>(range);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu::fourier {

HWY_EXPORT(PackTileImpl);
void pack_tile(const Features& features, const float* data, std::int64_t row, std::int64_t rows, std::int64_t padded,
               std::int64_t range_rows, const PackedTile& tile) {
  HWY_DYNAMIC_DISPATCH(PackTileImpl)(features, data, row, rows, padded, range_rows, tile);
}

HWY_EXPORT(FindPhasesImpl);
void find_phases(const Features& features, std::int64_t d, std::int64_t padded, const PackedTile& tile) {
  HWY_DYNAMIC_DISPATCH(FindPhasesImpl)(features, d, padded, tile);
}

HWY_EXPORT(ClassifyImpl);
void classify(const Features& features, const float* q_low, const float* q_high, const float* k_low,
              const float* k_high, Range* out) {
  HWY_DYNAMIC_DISPATCH(ClassifyImpl)(features, q_low, q_high, k_low, k_high, out);
}

}  // namespace ff::cpu::fourier
#endif
