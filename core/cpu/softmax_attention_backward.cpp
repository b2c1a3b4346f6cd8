#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/softmax_attention_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ff/core/cpu/softmax_attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class T>
struct BackwardScratch {
  Scratch<T> queries, dout;          // transposed
  Scratch<T> query_rows, dout_rows;  // as they are, rows padded
  Scratch<T> dq;                     // transposed
  Scratch<T> lse{attention_tile};    // of base 2; infinity for padding and for queries that see nothing
  Scratch<T> mean{attention_tile};   // scale sum_j w_ij g_ij, which is scale dout_i . out_i
  Scratch<T> weights{attention_tile * attention_tile}, ds{attention_tile * attention_tile}, factors;

  explicit BackwardScratch(const SoftmaxBackward<T>& f)
      : queries(f.sizes.dim * attention_tile),
        dout(f.sizes.value_dim * attention_tile),
        query_rows(KeyGradients<T>::padded(f.sizes.dim) * attention_tile),
        dout_rows(KeyGradients<T>::padded(f.sizes.value_dim) * attention_tile),
        dq(f.sizes.dim * attention_tile),
        factors(attention_tile * attention_tile) {
    std::fill_n(factors.data(), attention_tile * attention_tile, T{1});
  }
};

// Rows of a tile, next to each other, each padded with zeros.
template <class T>
void copy_rows(const T* from, std::int64_t row, std::int64_t rows, std::int64_t features, T* to) {
  const std::int64_t padded = KeyGradients<T>::padded(features);
  for (std::int64_t i = 0; i < rows; ++i, from += row, to += padded) {
    std::fill(std::copy_n(from, features, to), to + padded, T{0});
  }
}

template <class T>
T dot(const T* x, const T* y, std::int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) sum = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), sum);
  T total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += x[i] * y[i];
  return total;
}

template <class T>
void load_queries(const SoftmaxBackward<T>& f, const QueryTile<T>& tile, const BackwardScratch<T>& scratch) {
  const AttentionSizes& sizes = f.sizes;
  const T *q = f.q.at(tile.b, tile.h, tile.first), *dout = f.dout.at(tile.b, tile.h, tile.first);
  const T scale = static_cast<T>(f.scale);
  transpose_in(tile, q, f.q.row, sizes.dim, static_cast<T>(f.scale * std::numbers::log2e), scratch.queries.data());
  transpose_in(tile, dout, f.dout.row, sizes.value_dim, scale, scratch.dout.data());
  copy_rows(q, f.q.row, tile.rows, sizes.dim, scratch.query_rows.data());
  copy_rows(dout, f.dout.row, tile.rows, sizes.value_dim, scratch.dout_rows.data());
  std::fill_n(scratch.dq.data(), sizes.dim * attention_tile, T{0});
  std::fill_n(scratch.lse.data(), attention_tile, kInfinity<T>);
  std::fill_n(scratch.mean.data(), attention_tile, T{0});
  const T* out = f.out.at(tile.b, tile.h, tile.first);
  const T* lse = f.lse + tile.row_index(sizes);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    scratch.mean[i] = scale * dot(dout + i * f.dout.row, out + i * f.out.row, sizes.value_dim);
    if (lse[i] != -kInfinity<T>) scratch.lse[i] = lse[i] * std::numbers::log2e_v<T>;
  }
}

// From scores and products scale g_ij: the weights that multiplied the values, and scale dS_ij = w_ij scale (g_ij -
// mean_i).
template <class T>
void weigh_tile(std::int64_t keys, std::int64_t columns, bool dropout, const BackwardScratch<T>& scratch) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < columns; i += lanes) {
    const auto lse = hn::Load(d, scratch.lse.data() + i), mean = hn::Load(d, scratch.mean.data() + i);
    for (std::int64_t at = i; at < keys * attention_tile; at += attention_tile) {
      T *weights = scratch.weights.data() + at, *ds = scratch.ds.data() + at;
      const auto weight = exp2(d, hn::Sub(hn::Load(d, weights), lse));
      const auto product = hn::Load(d, ds);
      if (dropout) {
        const auto factor = hn::Load(d, scratch.factors.data() + at);
        hn::Store(hn::Mul(weight, factor), d, weights);
        hn::Store(hn::Mul(weight, hn::MulSub(product, factor, mean)), d, ds);
      } else {
        hn::Store(weight, d, weights);
        hn::Store(hn::Mul(weight, hn::Sub(product, mean)), d, ds);
      }
    }
  }
}

template <class T>
void backward_tile(const SoftmaxBackward<T>& f, const QueryTile<T>& tile, const BackwardScratch<T>& scratch,
                   const KeyGradients<T>& gradients) {
  const std::int64_t dim = f.sizes.dim, value_dim = f.sizes.value_dim;
  const std::int64_t k_row = KeyGradients<T>::padded(dim), v_row = KeyGradients<T>::padded(value_dim);
  const bool dropout = f.mask.dropout > 0;
  T *weights = scratch.weights.data(), *ds = scratch.ds.data(), *dq = scratch.dq.data();
  load_queries(f, tile, scratch);
  const std::int64_t seen = causal_keys(f.sizes, f.mask, tile.first + tile.rows - 1);
  for (std::int64_t key = 0; key < seen; key += attention_tile) {
    const AttentionTile pairs = tile.with_keys(key, seen);
    const T *k = f.k.at(tile.b, tile.h, key), *v = f.v.at(tile.b, tile.h, key);
    constexpr std::int64_t n = attention_tile;
    score_tile(f.sizes, f.mask, pairs, tile.columns, f.k, scratch.queries.data(), weights);
    tile_product(
        TileProduct<T>{pairs.keys, tile.columns, value_dim, v, f.v.row, 1, scratch.dout.data(), n, ds, n, false});
    if (dropout) dropout_factors(f.sizes, f.mask, pairs, scratch.factors.data(), kByKey);
    weigh_tile(pairs.keys, tile.columns, dropout, scratch);
    tile_product(TileProduct<T>{pairs.keys, v_row, tile.rows, weights, n, 1, scratch.dout_rows.data(), v_row,
                                gradients.dv + key * v_row, v_row, true});
    tile_product(TileProduct<T>{pairs.keys, k_row, tile.rows, ds, n, 1, scratch.query_rows.data(), k_row,
                                gradients.dk + key * k_row, k_row, true});
    tile_product(TileProduct<T>{dim, tile.columns, pairs.keys, k, 1, f.k.row, ds, n, dq, n, true});
  }
  transpose_out(tile, dq, dim, f.dq.at(tile.b, tile.h, tile.first), f.dq.row);
}

template <class T>
void backward_tiles(const SoftmaxBackward<T>& f, std::int64_t head, std::int64_t first, std::int64_t step,
                    const KeyGradients<T>& gradients) {
  const BackwardScratch<T> scratch(f);
  for (std::int64_t i = first; i < num_query_tiles(f.sizes); i += step) {
    backward_tile(f, QueryTile<T>(f.sizes, head, i), scratch, gradients);
  }
}

void backward_tiles_f32(const SoftmaxBackward<float>& f, std::int64_t head, std::int64_t first, std::int64_t step,
                        const KeyGradients<float>& gradients) {
  backward_tiles(f, head, first, step, gradients);
}
void backward_tiles_f64(const SoftmaxBackward<double>& f, std::int64_t head, std::int64_t first, std::int64_t step,
                        const KeyGradients<double>& gradients) {
  backward_tiles(f, head, first, step, gradients);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
HWY_EXPORT(backward_tiles_f32);
HWY_EXPORT(backward_tiles_f64);

void backward_query_tiles(const SoftmaxBackward<float>& f, std::int64_t head, std::int64_t first, std::int64_t step,
                          const KeyGradients<float>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_tiles_f32)(f, head, first, step, gradients);
}
void backward_query_tiles(const SoftmaxBackward<double>& f, std::int64_t head, std::int64_t first, std::int64_t step,
                          const KeyGradients<double>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_tiles_f64)(f, head, first, step, gradients);
}

}  // namespace ff::cpu
#endif
