#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/cpu/fourier_tiles.h"
#include "ff/core/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_scores.cpp"
#include <hwy/foreach_target.h>

#include "ff/core/cpu/fourier_sinc-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

// The features of a block of queries in the order of their ranges: those of range r are order[end[r - 1], end[r]).
struct FeatureOrder {
  const std::int64_t* order;
  std::int64_t end[range_count];
  std::int64_t begin(Range r) const { return r == Range::small ? 0 : end[static_cast<int>(r) - 1]; }
  std::int64_t until(Range r) const { return end[static_cast<int>(r)]; }
};

FeatureOrder OrderFeatures(const Range* features, std::int64_t dim, std::int64_t* order) {
  FeatureOrder result{order, {}};
  std::int64_t next[range_count] = {};
  for (std::int64_t d = 0; d < dim; ++d) ++result.end[static_cast<int>(features[d])];
  for (int r = 1; r < range_count; ++r) {
    next[r] = result.end[r - 1];
    result.end[r] += result.end[r - 1];
  }
  for (std::int64_t d = 0; d < dim; ++d) order[next[static_cast<int>(features[d])]++] = d;
  return result;
}

// Queries i to i + 3 and the vector of keys at j.
struct Block {
  const Features& features;
  const FeatureOrder& order;
  const PackedTile &q, &k;
  std::int64_t i, j;

  const float* Queries(std::int64_t d) const { return q.value + d * q.stride + i; }
  V Keys(std::int64_t d) const { return hn::LoadU(D(), k.value + d * k.stride + j); }
};

// The products and the sums of logarithms of its four rows: in registers from the first feature to the last.
struct Products {
  SincProduct p0, p1, p2, p3;
};
struct LogSums {
  LogSum s0, s1, s2, s3;
};

HWY_INLINE void FoldExponents(Products& p) {
  FoldExponent(p.p0);
  FoldExponent(p.p1);
  FoldExponent(p.p2);
  FoldExponent(p.p3);
}

// Adds the features of a range whose logarithms come by the polynomials c: eight at a time, a small sum of small
// roundings, and each such sum with its error.
template <std::size_t n>
HWY_INLINE void LogFeatures(const Block& b, Range range, float (RangePolynomials::*c)[n], LogSums& sums) {
  for (std::int64_t at = b.order.begin(range), last = b.order.until(range); at < last;) {
    V s0 = hn::Zero(D()), s1 = s0, s2 = s0, s3 = s0;
    for (const std::int64_t end = std::min(last, at + 8); at < end; ++at) {
      const std::int64_t d = b.order.order[at];
      const float(&polynomial)[n] = b.features.polynomials[d].*c;
      const float* query = b.Queries(d);
      const V key = b.Keys(d);
      auto add = [&](int row, V& s) HWY_ATTR {
        const V difference = hn::Sub(key, SetAll(query[row])), square = hn::Mul(difference, difference);
        s = hn::MulAdd(square, cpu::HWY_NAMESPACE::Polynomial(D(), square, polynomial), s);
      };
      add(0, s0);
      add(1, s1);
      add(2, s2);
      add(3, s3);
    }
    Add(s0, sums.s0);
    Add(s1, sums.s1);
    Add(s2, sums.s2);
    Add(s3, sums.s3);
  }
}

HWY_INLINE void WideFeatures(const Block& b, Products& p) {
  for (std::int64_t at = b.order.begin(Range::wide), last = b.order.until(Range::wide); at < last;) {
    for (const std::int64_t end = std::min(last, at + fold_wide_every); at < end; ++at) {
      const std::int64_t d = b.order.order[at];
      const auto& polynomial = b.features.polynomials[d].sinc_wide;
      const float* query = b.Queries(d);
      const V key = b.Keys(d);
      MultiplyWideSinc(hn::Sub(key, SetAll(query[0])), polynomial, p.p0);
      MultiplyWideSinc(hn::Sub(key, SetAll(query[1])), polynomial, p.p1);
      MultiplyWideSinc(hn::Sub(key, SetAll(query[2])), polynomial, p.p2);
      MultiplyWideSinc(hn::Sub(key, SetAll(query[3])), polynomial, p.p3);
    }
    FoldExponents(p);
  }
}

HWY_INLINE void OtherFeatures(const Block& b, Products& p) {
  for (std::int64_t at = b.order.begin(Range::any), last = b.order.until(Range::any); at < last;) {
    for (const std::int64_t end = std::min(last, at + fold_every); at < end; ++at) {
      const std::int64_t d = b.order.order[at], at_q = d * b.q.stride + b.i, at_k = d * b.k.stride + b.j;
      const V key = b.Keys(d), tail = hn::LoadU(D(), b.k.tail + at_k), scale = SetAll(b.features.scale[d]);
      const VI phase = hn::LoadU(DI(), b.k.phase + at_k);
      auto multiply = [&](int row, SincProduct& product) HWY_ATTR {
        MultiplySinc(
            Reduce(hn::Sub(key, SetAll(b.q.value[at_q + row])), hn::Sub(phase, hn::Set(DI(), b.q.phase[at_q + row])),
                   hn::Sub(tail, SetAll(b.q.tail[at_q + row])), scale),
            product);
      };
      multiply(0, p.p0);
      multiply(1, p.p1);
      multiply(2, p.p2);
      multiply(3, p.p3);
    }
    FoldExponents(p);
  }
}

// What there is at mantissa and exponent, times 2^sum.
HWY_INLINE void MultiplyScore(const LogSum& sum, bool first, float* mantissa, float* exponent) {
  const V whole = hn::Round(sum.value), factor = Exp2Fraction(hn::Add(hn::Sub(sum.value, whole), sum.error));
  if (first) {
    hn::StoreU(factor, D(), mantissa);
    hn::StoreU(whole, D(), exponent);
    return;
  }
  SincProduct product = EmptyProduct();
  product.numerator.value = hn::Mul(hn::LoadU(D(), mantissa), factor);
  FoldExponent(product);
  hn::StoreU(product.numerator.value, D(), mantissa);
  hn::StoreU(hn::Add(hn::Add(hn::LoadU(D(), exponent), whole), hn::ConvertTo(D(), product.exponent)), D(), exponent);
}

HWY_INLINE void StoreScore(const SincProduct& product, float* mantissa, float* exponent) {
  hn::StoreU(Mantissa(product), D(), mantissa);
  hn::StoreU(hn::ConvertTo(D(), product.exponent), D(), exponent);
}

HWY_INLINE void ScoreByProduct(const Block& b, float* mantissa, float* exponent, std::int64_t ld) {
  const SincProduct one = EmptyProduct();
  Products p{one, one, one, one};
  WideFeatures(b, p);
  OtherFeatures(b, p);
  StoreScore(p.p0, mantissa, exponent);
  StoreScore(p.p1, mantissa + ld, exponent + ld);
  StoreScore(p.p2, mantissa + 2 * ld, exponent + 2 * ld);
  StoreScore(p.p3, mantissa + 3 * ld, exponent + 3 * ld);
}

HWY_INLINE void ScoreByLogarithm(const Block& b, bool first, float* mantissa, float* exponent, std::int64_t ld) {
  const LogSum zero{hn::Zero(D()), hn::Zero(D())};
  LogSums sums{zero, zero, zero, zero};
  LogFeatures(b, Range::small, &RangePolynomials::log_small, sums);
  LogFeatures(b, Range::medium, &RangePolynomials::log_medium, sums);
  LogFeatures(b, Range::large, &RangePolynomials::log_large, sums);
  MultiplyScore(sums.s0, first, mantissa, exponent);
  MultiplyScore(sums.s1, first, mantissa + ld, exponent + ld);
  MultiplyScore(sums.s2, first, mantissa + 2 * ld, exponent + 2 * ld);
  MultiplyScore(sums.s3, first, mantissa + 3 * ld, exponent + 3 * ld);
}

void AddPoison(const PackedTile& q, const PackedTile& k, std::int64_t i, std::int64_t columns, const ScoreTile& tile) {
  for (std::int64_t row = i; row < i + query_block; ++row) {
    float* mantissa = tile.mantissa + row * tile.ld;
    for (std::int64_t j = 0; j < columns; ++j) mantissa[j] += k.poison[j] + q.poison[row];
  }
}

void ScoreTileImpl(const Features& features, const PackedTile& q, const PackedTile& k, const ScoreTile& tile,
                   std::int64_t* memory) {
  for (std::int64_t i = 0; i < tile.rows; i += query_block) {
    const std::int64_t block = i / query_block, columns = tile.columns[block];
    const FeatureOrder order = OrderFeatures(tile.features + block * features.dim, features.dim, memory);
    const bool logarithms = order.until(Range::large) > 0, products = order.until(Range::large) < features.dim;
    for (std::int64_t j = 0; j < columns; j += LaneCount()) {
      const Block b{features, order, q, k, i, j};
      float *mantissa = tile.mantissa + i * tile.ld + j, *exponent = tile.exponent + i * tile.ld + j;
      if (products || !logarithms) ScoreByProduct(b, mantissa, exponent, tile.ld);
      if (logarithms) ScoreByLogarithm(b, !products, mantissa, exponent, tile.ld);
    }
    AddPoison(q, k, i, columns, tile);
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
  const Scratch<std::int64_t> order(features.dim);
  HWY_DYNAMIC_DISPATCH(ScoreTileImpl)(features, q, k, tile, order.data());
}

}  // namespace ff::cpu::fourier
#endif
