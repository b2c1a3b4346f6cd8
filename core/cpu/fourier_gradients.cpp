#include "ff/core/cpu/fourier_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_gradients.cpp"
#include <hwy/foreach_target.h>

#include "ff/core/cpu/fourier_sinc-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

// One feature of the tile, of all its queries and keys.
struct Feature {
  V scale;
  const float *q, *q_tail, *k, *k_tail;
  const std::int32_t *q_phase, *k_phase;
};

// The same of a vector of keys.
struct Keys {
  V value, tail;
  VI phase;
};

HWY_INLINE float Sum(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }

// pi c of query i and a vector of keys.
template <bool near>
HWY_INLINE V LogDerivative(const Feature& f, std::int64_t i, const Keys& k, V difference) {
  if constexpr (near) return NearSincLogDerivative(difference, f.scale);
  return SincLogDerivative(
      Reduce(difference, hn::Sub(k.phase, hn::Set(DI(), f.q_phase[i])), hn::Sub(k.tail, SetAll(f.q_tail[i])), f.scale));
}

// t = pi dS c of one query and a vector of keys, added to the query's sum and to the sum over queries and keys;
// returned for the sum over queries.
template <bool near>
HWY_INLINE V Term(const Feature& f, std::int64_t i, const Keys& k, V ds, V& query_sum, V& r_sum) {
  const V difference = hn::Sub(k.value, SetAll(f.q[i]));
  const V t = hn::Mul(ds, LogDerivative<near>(f, i, k, difference));
  query_sum = hn::Add(query_sum, t);
  r_sum = hn::MulAdd(t, difference, r_sum);
  return t;
}

// Queries i to i + 3 against keys [0, columns) of feature f; ds at row i. Returns their sum for dr.
template <bool near>
HWY_INLINE V QueryBlock(const Feature& f, std::int64_t i, std::int64_t columns, const float* ds, std::int64_t ld,
                        float* dq, float* dk) {
  V q0 = hn::Zero(D()), q1 = q0, q2 = q0, q3 = q0, r_sum = q0;
  for (std::int64_t j = 0; j < columns; j += LaneCount()) {
    const Keys k{hn::LoadU(D(), f.k + j), hn::LoadU(D(), f.k_tail + j), hn::LoadU(DI(), f.k_phase + j)};
    const V t0 = Term<near>(f, i, k, hn::LoadU(D(), ds + j), q0, r_sum);
    const V t1 = Term<near>(f, i + 1, k, hn::LoadU(D(), ds + ld + j), q1, r_sum);
    const V t2 = Term<near>(f, i + 2, k, hn::LoadU(D(), ds + 2 * ld + j), q2, r_sum);
    const V t3 = Term<near>(f, i + 3, k, hn::LoadU(D(), ds + 3 * ld + j), q3, r_sum);
    hn::StoreU(hn::Add(hn::LoadU(D(), dk + j), hn::Add(hn::Add(t0, t1), hn::Add(t2, t3))), D(), dk + j);
  }
  dq[i] += Sum(q0);
  dq[i + 1] += Sum(q1);
  dq[i + 2] += Sum(q2);
  dq[i + 3] += Sum(q3);
  return r_sum;
}

// All pairs for one feature, so that its keys and their sums, and dS, stay in the first-level cache. Returns the sum
// for dr.
template <bool near>
float OneFeature(const Feature& f, const ScoreTile& tile, const float* ds, float* dq, float* dk) {
  V r_sum = hn::Zero(D());
  for (std::int64_t i = 0; i < tile.rows; i += query_block)
    r_sum = hn::Add(r_sum, QueryBlock<near>(f, i, tile.columns[i / query_block], ds + i * tile.ld, tile.ld, dq, dk));
  return Sum(r_sum);
}

void ScoreGradientsImpl(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile,
                        const float* ds, float* dq, float* dk, double* dr) {
  for (std::int64_t n = 0; n < features.dim; ++n) {
    const std::int64_t d = tile.features.order[n], at_q = d * q.stride, at_k = d * k.stride;
    const Feature f{SetAll(features.scale[d]),
                    q.value + at_q,
                    q.tail + at_q,
                    k.value + at_k,
                    k.tail + at_k,
                    q.phase + at_q,
                    k.phase + at_k};
    dr[d] += double{n < tile.features.near ? OneFeature<true>(f, tile, ds, dq + at_q, dk + at_k)
                                           : OneFeature<false>(f, tile, ds, dq + at_q, dk + at_k)};
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu::fourier {

HWY_EXPORT(ScoreGradientsImpl);
void score_gradients(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile,
                     const float* ds, float* dq, float* dk, double* dr) {
  HWY_DYNAMIC_DISPATCH(ScoreGradientsImpl)(features, q, k, tile, ds, dq, dk, dr);
}

}  // namespace ff::cpu::fourier
#endif
