#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/cpu/fourier_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_pack.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t block = key_block;  // rows and features turned over at a time; tiles are padded to it

// A block of rows, before and after being turned over.
struct Block {
  float value[block][block], tail[block][block];
  std::int32_t phase[block][block];
};

// frac(value turns) as phase / 2^32 + tail. The product, in double, is exact but for the rounding of R / pi.
HWY_INLINE void FindPhases(const float* value, const double* turns, std::int32_t* phase, float* tail) {
  const hn::CappedTag<double, block> d64;
  const hn::Rebind<float, decltype(d64)> d32;
  const hn::Rebind<std::int32_t, decltype(d64)> di32;
  for (std::int64_t i = 0; i < block; i += static_cast<std::int64_t>(hn::Lanes(d64))) {
    const auto u = hn::Mul(hn::PromoteTo(d64, hn::LoadU(d32, value + i)), hn::LoadU(d64, turns + i));
    const auto units = hn::Mul(hn::Sub(u, hn::Round(u)), hn::Set(d64, 0x1p32));
    const auto whole = hn::DemoteTo(di32, hn::Round(units));  // saturates at 2^31, which leaves a tail of one unit
    const auto rest = hn::Mul(hn::Sub(units, hn::PromoteTo(d64, whole)), hn::Set(d64, 0x1p-32));
    hn::StoreU(whole, di32, phase + i);
    hn::StoreU(hn::DemoteTo(d32, rest), d32, tail + i);
  }
}

// Features d0 to d0 + dims of rows from i0 on, those beyond `rows` like the last.
HWY_INLINE void ReadBlock(const Features& features, const float* data, std::int64_t row, std::int64_t rows,
                          std::int64_t i0, std::int64_t d0, std::int64_t dims, float* poison, Block& b) {
  double turns[block] = {};
  std::copy_n(features.turns + d0, dims, turns);
  for (std::int64_t i = 0; i < block; ++i) {
    std::fill_n(b.value[i], block, 0.0f);
    const float* from = data + std::min(i0 + i, rows - 1) * row + d0;
    for (std::int64_t d = 0; d < dims; ++d) {
      const float v = from[d], limit = features.limit[d0 + d];
      const bool finite = std::abs(v) <= std::numeric_limits<float>::max() && limit >= 0;
      if (!finite) poison[i0 + i] = std::numeric_limits<float>::quiet_NaN();
      b.value[i][d] = finite ? std::clamp(v, -limit, limit) : 0.0f;
    }
    FindPhases(b.value[i], turns, b.phase[i], b.tail[i]);
  }
}

// The least and largest value of each feature.
void FindRange(std::int64_t dim, std::int64_t padded, const PackedTile& tile) {
  const hn::CappedTag<float, block> d32;
  for (std::int64_t d = 0; d < dim; ++d) {
    const float* value = tile.value + d * tile.stride;
    auto low = hn::LoadU(d32, value), high = low;
    for (std::int64_t i = 0; i < padded; i += static_cast<std::int64_t>(hn::Lanes(d32))) {
      low = hn::Min(low, hn::LoadU(d32, value + i));
      high = hn::Max(high, hn::LoadU(d32, value + i));
    }
    tile.low[d] = hn::GetLane(hn::MinOfLanes(d32, low));
    tile.high[d] = hn::GetLane(hn::MaxOfLanes(d32, high));
  }
}

void PackTileImpl(const Features& features, const float* data, std::int64_t row, std::int64_t rows, std::int64_t padded,
                  const PackedTile& tile) {
  Block b;
  std::fill_n(tile.poison, padded, 0.0f);
  for (std::int64_t d0 = 0; d0 < features.dim; d0 += block) {
    const std::int64_t dims = std::min(block, features.dim - d0);
    for (std::int64_t i0 = 0; i0 < padded; i0 += block) {
      ReadBlock(features, data, row, rows, i0, d0, dims, tile.poison, b);
      for (std::int64_t d = 0; d < dims; ++d) {
        const std::int64_t at = (d0 + d) * tile.stride + i0;
        for (std::int64_t i = 0; i < block; ++i) tile.value[at + i] = b.value[i][d];
        for (std::int64_t i = 0; i < block; ++i) tile.phase[at + i] = b.phase[i][d];
        for (std::int64_t i = 0; i < block; ++i) tile.tail[at + i] = b.tail[i][d];
      }
    }
  }
  FindRange(features.dim, padded, tile);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu::fourier {

FeatureOrder order_features(const Features& features, const PackedTile& q, const PackedTile& k, std::int64_t* order) {
  std::int64_t near = 0, far = features.dim;
  for (std::int64_t d = 0; d < features.dim; ++d) {
    const float distance = std::max(k.high[d] - q.low[d], q.high[d] - k.low[d]);
    const bool is_near = distance * std::abs(features.scale[d]) < 0.4999f;  // turns, and some room for rounding
    order[is_near ? near++ : --far] = d;
  }
  return {order, near, features.dim};
}

HWY_EXPORT(PackTileImpl);
void pack_tile(const Features& features, const float* data, std::int64_t row, std::int64_t rows, std::int64_t padded,
               const PackedTile& tile) {
  HWY_DYNAMIC_DISPATCH(PackTileImpl)(features, data, row, rows, padded, tile);
}

}  // namespace ff::cpu::fourier
#endif
