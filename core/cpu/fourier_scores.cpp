#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/cpu/fourier_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_scores.cpp"
#include <hwy/foreach_target.h>

#include "ff/core/cpu/fourier_sinc-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

// One feature of a block of queries against a vector of keys.
struct Feature {
  const float *q, *q_tail;
  const std::int32_t* q_phase;
  V k, k_tail, scale;
  VI k_phase;
};

HWY_INLINE Feature LoadFeature(const Features& f, const PackedTile& q, const PackedTile& k, std::int64_t d,
                               std::int64_t i, std::int64_t j) {
  const std::int64_t at_q = d * q.stride + i, at_k = d * k.stride + j;
  return {q.value + at_q,
          q.tail + at_q,
          q.phase + at_q,
          hn::LoadU(D(), k.value + at_k),
          hn::LoadU(D(), k.tail + at_k),
          SetAll(f.scale[d]),
          hn::LoadU(DI(), k.phase + at_k)};
}

HWY_INLINE void TakeIn(const Feature& f, int row, SincProduct& product) {
  MultiplySinc(Reduce(hn::Sub(f.k, SetAll(f.q[row])), hn::Sub(f.k_phase, hn::Set(DI(), f.q_phase[row])),
                      hn::Sub(f.k_tail, SetAll(f.q_tail[row])), f.scale),
               product);
}

HWY_INLINE void StoreScore(const SincProduct& product, V poison, float q_poison, float* mantissa, float* exponent) {
  hn::StoreU(hn::Add(Mantissa(product), hn::Add(poison, SetAll(q_poison))), D(), mantissa);
  hn::StoreU(hn::ConvertTo(D(), product.exponent), D(), exponent);
}

// The products of queries i to i + 3 with the vector of keys at j: in registers from the first feature to the last.
struct Products {
  SincProduct p0, p1, p2, p3;
};

HWY_INLINE void FoldExponents(Products& p) {
  FoldExponent(p.p0);
  FoldExponent(p.p1);
  FoldExponent(p.p2);
  FoldExponent(p.p3);
}

HWY_INLINE void NearFeatures(const Features& features, const FeatureOrder& order, const PackedTile& q,
                             const PackedTile& k, std::int64_t i, std::int64_t j, Products& p) {
  for (std::int64_t n = 0; n < order.near;) {
    const std::int64_t end = std::min(order.near, n + fold_near_every);
    for (; n < end; ++n) {
      const std::int64_t d = order.order[n];
      const float* query = q.value + d * q.stride + i;
      const V key = hn::LoadU(D(), k.value + d * k.stride + j), scale = SetAll(features.scale[d]);
      MultiplyNearSinc(hn::Sub(key, SetAll(query[0])), scale, p.p0);
      MultiplyNearSinc(hn::Sub(key, SetAll(query[1])), scale, p.p1);
      MultiplyNearSinc(hn::Sub(key, SetAll(query[2])), scale, p.p2);
      MultiplyNearSinc(hn::Sub(key, SetAll(query[3])), scale, p.p3);
    }
    FoldExponents(p);
  }
}

HWY_INLINE void OtherFeatures(const Features& features, const FeatureOrder& order, const PackedTile& q,
                              const PackedTile& k, std::int64_t i, std::int64_t j, Products& p) {
  for (std::int64_t n = order.near; n < order.dim;) {
    const std::int64_t end = std::min(order.dim, n + fold_every);
    for (; n < end; ++n) {
      const Feature feature = LoadFeature(features, q, k, order.order[n], i, j);
      TakeIn(feature, 0, p.p0);
      TakeIn(feature, 1, p.p1);
      TakeIn(feature, 2, p.p2);
      TakeIn(feature, 3, p.p3);
    }
    FoldExponents(p);
  }
}

HWY_INLINE void ScoreBlock(const Features& features, const PackedTile& q, const PackedTile& k, std::int64_t i,
                           std::int64_t j, const ScoreTile& tile) {
  const SincProduct one = EmptyProduct();
  Products p{one, one, one, one};
  NearFeatures(features, tile.features, q, k, i, j, p);
  OtherFeatures(features, tile.features, q, k, i, j, p);
  const V poison = hn::LoadU(D(), k.poison + j);
  float *mantissa = tile.mantissa + i * tile.ld + j, *exponent = tile.exponent + i * tile.ld + j;
  StoreScore(p.p0, poison, q.poison[i], mantissa, exponent);
  StoreScore(p.p1, poison, q.poison[i + 1], mantissa + tile.ld, exponent + tile.ld);
  StoreScore(p.p2, poison, q.poison[i + 2], mantissa + 2 * tile.ld, exponent + 2 * tile.ld);
  StoreScore(p.p3, poison, q.poison[i + 3], mantissa + 3 * tile.ld, exponent + 3 * tile.ld);
}

void ScoreTileImpl(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile) {
  for (std::int64_t i = 0; i < tile.rows; i += query_block) {
    const std::int64_t columns = tile.columns[i / query_block];
    for (std::int64_t j = 0; j < columns; j += LaneCount()) ScoreBlock(features, q, k, i, j, tile);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu::fourier {

HWY_EXPORT(ScoreTileImpl);
void score_tile(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile) {
  HWY_DYNAMIC_DISPATCH(ScoreTileImpl)(features, q, k, tile);
}

}  // namespace ff::cpu::fourier
#endif
