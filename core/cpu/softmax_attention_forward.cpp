#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/softmax_attention_forward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ff/core/cpu/softmax_attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

// Per query of a tile: the largest score seen, the sum of weights relative to it.
template <class T>
struct RowStates {
  Scratch<T> max{attention_tile}, sum{attention_tile};
  Scratch<T> shrink{attention_tile};  // what the newest tile made of weights seen before it
};

// Scores of a tile become weights 2^(score - max), max being over all keys so far.
template <class T>
void weigh_tile(std::int64_t keys, std::int64_t columns, T* scores, const RowStates<T>& states) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < columns; i += lanes) {
    const auto old = hn::Load(d, states.max.data() + i);
    auto max = old, odd = old;
    std::int64_t j = 0;
    for (; j + 2 <= keys; j += 2) {
      max = hn::Max(max, hn::Load(d, scores + j * attention_tile + i));
      odd = hn::Max(odd, hn::Load(d, scores + (j + 1) * attention_tile + i));
    }
    if (j < keys) max = hn::Max(max, hn::Load(d, scores + j * attention_tile + i));
    max = hn::Max(max, odd);
    hn::Store(max, d, states.max.data() + i);
    // A query that has seen nothing yet has weights 2^-inf, not 2^(-inf + inf).
    const auto base = hn::IfThenElse(hn::Eq(max, hn::Set(d, -kInfinity<T>)), hn::Zero(d), max);
    auto sum = hn::Zero(d);
    for (j = 0; j < keys; ++j) {
      T* score = scores + j * attention_tile + i;
      const auto weight = exp2(d, hn::Sub(hn::Load(d, score), base));
      hn::Store(weight, d, score);
      sum = hn::Add(sum, weight);
    }
    const auto shrink = exp2(d, hn::Sub(old, base));
    hn::Store(shrink, d, states.shrink.data() + i);
    hn::Store(hn::MulAdd(hn::Load(d, states.sum.data() + i), shrink, sum), d, states.sum.data() + i);
  }
}

// Each of n rows of x times the row factors.
template <class T>
void multiply_rows(std::int64_t n, std::int64_t columns, const T* factors, std::int64_t factor_row, T* x) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t j = 0; j < n; ++j, factors += factor_row, x += attention_tile) {
    for (std::int64_t i = 0; i < columns; i += lanes)
      hn::Store(hn::Mul(hn::Load(d, x + i), hn::Load(d, factors + i)), d, x + i);
  }
}

// log sum exp of each query, and 1 / sum (0 where nothing was seen) left in the place of the sum.
template <class T>
void finish_rows(std::int64_t rows, const RowStates<T>& states, T* lse) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const T sum = states.sum[i];
    lse[i] = sum == 0 ? -kInfinity<T> : states.max[i] * std::numbers::ln2_v<T> + std::log(sum);
    states.sum[i] = sum == 0 ? T{0} : 1 / sum;
  }
}

template <class T>
struct ForwardScratch {
  Scratch<T> queries, scores{attention_tile * attention_tile}, factors, out;
  RowStates<T> states;
  explicit ForwardScratch(const SoftmaxForward<T>& f)
      : queries(f.sizes.dim * attention_tile),
        factors(f.mask.dropout > 0 ? attention_tile * attention_tile : 0),
        out(f.sizes.value_dim * attention_tile) {
    if (f.mask.dropout > 0) std::fill_n(factors.data(), attention_tile * attention_tile, T{0});  // padding stays so
  }
};

template <class T>
void forward_tile(const SoftmaxForward<T>& f, const QueryTile<T>& tile, const ForwardScratch<T>& scratch) {
  const std::int64_t features = f.sizes.value_dim;
  T *scores = scratch.scores.data(), *out = scratch.out.data();
  const RowStates<T>& states = scratch.states;
  const T factor = static_cast<T>(f.scale * std::numbers::log2e);
  transpose_in(tile, f.q.at(tile.b, tile.h, tile.first), f.q.row, f.sizes.dim, factor, scratch.queries.data());
  std::fill_n(out, features * attention_tile, T{0});
  std::fill_n(states.max.data(), attention_tile, -kInfinity<T>);
  std::fill_n(states.sum.data(), attention_tile, T{0});
  const std::int64_t seen = causal_keys(f.sizes, f.mask, tile.first + tile.rows - 1);
  for (std::int64_t key = 0; key < seen; key += attention_tile) {
    const AttentionTile pairs = tile.with_keys(key, seen);
    score_tile(f.sizes, f.mask, pairs, tile.columns, f.k, scratch.queries.data(), scores);
    weigh_tile(pairs.keys, tile.columns, scores, states);
    if (f.mask.dropout > 0) {
      dropout_factors(f.sizes, f.mask, pairs, scratch.factors.data(), kByKey);
      multiply_rows(pairs.keys, tile.columns, scratch.factors.data(), attention_tile, scores);
    }
    if (key > 0) multiply_rows(features, tile.columns, states.shrink.data(), 0, out);
    tile_product(TileProduct<T>{features, tile.columns, pairs.keys, f.v.at(tile.b, tile.h, key), 1, f.v.row, scores,
                                attention_tile, out, attention_tile, key > 0});
  }
  finish_rows(tile.rows, states, f.lse + tile.row_index(f.sizes));
  multiply_rows(features, tile.columns, states.sum.data(), 0, out);
  transpose_out(tile, out, features, f.out.at(tile.b, tile.h, tile.first), f.out.row);
}

// Tiles of queries [begin, end), counted over all heads.
template <class T>
void forward_tiles(const SoftmaxForward<T>& f, std::int64_t begin, std::int64_t end) {
  const ForwardScratch<T> scratch(f);
  const std::int64_t tiles = num_query_tiles(f.sizes);
  for (std::int64_t i = begin; i < end; ++i) forward_tile(f, QueryTile<T>(f.sizes, i / tiles, i % tiles), scratch);
}

void forward_tiles_f32(const SoftmaxForward<float>& f, std::int64_t begin, std::int64_t end) {
  forward_tiles(f, begin, end);
}
void forward_tiles_f64(const SoftmaxForward<double>& f, std::int64_t begin, std::int64_t end) {
  forward_tiles(f, begin, end);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
HWY_EXPORT(forward_tiles_f32);
HWY_EXPORT(forward_tiles_f64);

void forward_query_tiles(const SoftmaxForward<float>& f, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(forward_tiles_f32)(f, begin, end);
}
void forward_query_tiles(const SoftmaxForward<double>& f, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(forward_tiles_f64)(f, begin, end);
}

}  // namespace ff::cpu
#endif
