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
  const RangePolynomials& polynomials;
  const float *q, *q_tail, *k, *k_tail;
  const std::int32_t *q_phase, *k_phase;
};

HWY_INLINE float Sum(V v) { return hn::GetLane(hn::SumOfLanes(D(), v)); }

// pi c of query i and a vector of keys, x being reduced.
struct AnyDerivative {
  static constexpr bool bounded = false;
  const Feature& f;
  HWY_INLINE V operator()(std::int64_t i, std::int64_t j, V difference) const {
    return SincLogDerivative(Reduce(difference, hn::Sub(hn::LoadU(DI(), f.k_phase + j), hn::Set(DI(), f.q_phase[i])),
                                    hn::Sub(hn::LoadU(D(), f.k_tail + j), SetAll(f.q_tail[i])), f.scale));
  }
};

// The same by a polynomial.
template <std::size_t n>
struct BoundedDerivative {
  static constexpr bool bounded = true;
  const float (&c)[n];
  HWY_INLINE V operator()(std::int64_t, std::int64_t, V difference) const { return SincLogDerivative(difference, c); }
};

// Queries i to i + 3 against keys [0, columns) of feature f; ds at row i. t = pi dS c goes to the sums of queries, keys
// and, times k - q, of all, which is returned for dr. Where x is bounded the latter is
//   sum_ij t_ij (k_j - q_i) = sum_j (sum_i t_ij) (k_j - q_0) - sum_i (sum_j t_ij) (q_i - q_0),
// a quarter of the products; for any x it could lose digits, where q_i is far from q_0 but near the keys that matter.
template <class Derivative>
HWY_INLINE float QueryBlock(const Feature& f, Derivative c, std::int64_t i, std::int64_t columns, const float* ds,
                            std::int64_t ld, float* dq, float* dk) {
  V q0 = hn::Zero(D()), q1 = q0, q2 = q0, q3 = q0, r_sum = q0;
  for (std::int64_t j = 0; j < columns; j += LaneCount()) {
    const V key = hn::LoadU(D(), f.k + j);
    const V x0 = hn::Sub(key, SetAll(f.q[i])), x1 = hn::Sub(key, SetAll(f.q[i + 1]));
    const V x2 = hn::Sub(key, SetAll(f.q[i + 2])), x3 = hn::Sub(key, SetAll(f.q[i + 3]));
    const V t0 = hn::Mul(hn::LoadU(D(), ds + j), c(i, j, x0));
    const V t1 = hn::Mul(hn::LoadU(D(), ds + ld + j), c(i + 1, j, x1));
    const V t2 = hn::Mul(hn::LoadU(D(), ds + 2 * ld + j), c(i + 2, j, x2));
    const V t3 = hn::Mul(hn::LoadU(D(), ds + 3 * ld + j), c(i + 3, j, x3));
    const V t = hn::Add(hn::Add(t0, t1), hn::Add(t2, t3));
    q0 = hn::Add(q0, t0);
    q1 = hn::Add(q1, t1);
    q2 = hn::Add(q2, t2);
    q3 = hn::Add(q3, t3);
    if constexpr (Derivative::bounded) {
      r_sum = hn::MulAdd(t, x0, r_sum);
    } else {
      r_sum = hn::Add(r_sum, hn::Add(hn::MulAdd(t0, x0, hn::Mul(t1, x1)), hn::MulAdd(t2, x2, hn::Mul(t3, x3))));
    }
    hn::StoreU(hn::Add(hn::LoadU(D(), dk + j), t), D(), dk + j);
  }
  const float sums[] = {Sum(q0), Sum(q1), Sum(q2), Sum(q3)};
  float r = Sum(r_sum);
  for (int row = 0; row < query_block; ++row) {
    dq[i + row] += sums[row];
    if (Derivative::bounded) r -= sums[row] * (f.q[i + row] - f.q[i]);
  }
  return r;
}

// The same by the Derivative that suits the range of the feature in this block.
HWY_INLINE float RangedBlock(const Feature& f, Range range, std::int64_t i, std::int64_t columns, const float* ds,
                             std::int64_t ld, float* dq, float* dk) {
  const RangePolynomials& p = f.polynomials;
  switch (range) {
    case Range::small:
      return QueryBlock(f, BoundedDerivative<4>{p.grad_small}, i, columns, ds, ld, dq, dk);
    case Range::medium:
      return QueryBlock(f, BoundedDerivative<5>{p.grad_medium}, i, columns, ds, ld, dq, dk);
    case Range::large:
      return QueryBlock(f, BoundedDerivative<6>{p.grad_large}, i, columns, ds, ld, dq, dk);
    case Range::wide:
      return QueryBlock(f, BoundedDerivative<9>{p.grad_wide}, i, columns, ds, ld, dq, dk);
    default:
      return QueryBlock(f, AnyDerivative{f}, i, columns, ds, ld, dq, dk);
  }
}

// Feature after feature, so that its keys and their sums, and dS, stay in the first-level cache.
void ScoreGradientsImpl(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile,
                        const float* ds, float* dq, float* dk, double* dr) {
  for (std::int64_t d = 0; d < features.dim; ++d) {
    const std::int64_t at_q = d * q.stride, at_k = d * k.stride;
    const Feature f{SetAll(features.scale[d]),
                    features.polynomials[d],
                    q.value + at_q,
                    q.tail + at_q,
                    k.value + at_k,
                    k.tail + at_k,
                    q.phase + at_q,
                    k.phase + at_k};
    double sum = 0;
    for (std::int64_t i = 0; i < tile.rows; i += query_block) {
      const std::int64_t block = i / query_block;
      sum += double{RangedBlock(f, tile.features[block * features.dim + d], i, tile.columns[block], ds + i * tile.ld,
                                tile.ld, dq + at_q, dk + at_k)};
    }
    if (features.unit[d] != 0) dr[d] += sum / double{features.unit[d]};
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
