#include "ff/core/cpu/fourier_attention.h"

#include <algorithm>
#include <cmath>

#include "ff/core/cpu/fourier_tiling.h"
#include "ff/core/cpu/matmul.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

using namespace fourier;

struct Forward {
  const AttentionSizes& sizes;
  const AttentionMask& mask;
  const FourierKernel& kernel;
  Heads<const float> v;
  Heads<float> out;
  float *row_max, *row_sum;
  const FeatureTables& tables;
  const PackedRows &q, &k;
  Power power;
};

// epsilon is a key whose kernel is epsilon and whose value is 0; every row begins with it.
RowState first_state(const FourierKernel& kernel, const Power& power) {
  RowState state;
  if (kernel.epsilon > 0) {
    const double score = std::log2(kernel.epsilon), reference = score / kernel.power;
    state.reference = static_cast<float>(power.whole ? std::ceil(reference) : reference);
    state.sum = std::exp2(score - kernel.power * double{state.reference});
  }
  return state;
}

void apply_dropout(const Forward& f, const AttentionTile& tile, float* weights, std::int64_t ld, float* factors) {
  dropout_factors(f.sizes, f.mask, tile, factors, ld);
  for (std::int64_t i = 0; i < tile.queries; ++i)
    for (std::int64_t j = 0; j < tile.keys; ++j) weights[i * ld + j] *= factors[i * ld + j];
}

void scale_rows(float* rows, std::int64_t width, std::int64_t count, const float* by) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (by[i] == 1) continue;
    for (std::int64_t e = 0; e < width; ++e) rows[i * width + e] *= by[i];
  }
}

// The outputs of query tile t_q of head (b, h): key tile after key tile, the weights relative to the largest so far.
void attend(const Forward& f, std::int64_t b, std::int64_t h, std::int64_t t_q) {
  const std::int64_t head = b * f.sizes.heads + h, first = t_q * f.q.tile_rows(), rows = f.q.rows(t_q);
  const std::int64_t values = f.sizes.value_dim, ld = f.k.stride();
  const Scratch<float> mantissa(query_tile * ld), exponent(query_tile * ld), sum(query_tile * values, 0.0f);
  const Scratch<float> factors(f.mask.dropout > 0 ? query_tile * ld : 0);
  const Scratch<std::int64_t> order(f.sizes.dim);
  const Features features = f.tables.head(h);
  RowState states[query_tile];
  std::fill_n(states, rows, first_state(f.kernel, f.power));
  for (std::int64_t t_k = 0; t_k < f.k.tiles(); ++t_k) {
    const TilePair pair(f.sizes, f.mask, b, h, f.q, t_q, f.k, t_k);
    if (pair.empty()) break;
    const ScoreTile scores = pair.score(features, f.q.tile(head, t_q), f.k.tile(head, t_k), mantissa.data(),
                                        exponent.data(), ld, order.data());
    float rescale[query_tile];
    weigh_tile(f.power, scores, pair.width(), states, rescale);
    if (f.mask.dropout > 0) apply_dropout(f, pair.tile(), mantissa.data(), ld, factors.data());
    scale_rows(sum.data(), values, rows, rescale);
    const DenseRows v(f.v, b, h, pair.tile().key, pair.keys(), values);
    if (values > 0)
      gemm_serial(false, false, rows, values, pair.keys(), 1.0f, mantissa.data(), ld, v.data(), v.row(), 1.0f,
                  sum.data(), values);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const float inverse = states[i].sum == 0 ? 0.0f : static_cast<float>(1 / states[i].sum);
    float* out = f.out.at(b, h, first + i);
    for (std::int64_t e = 0; e < values; ++e) out[e] = sum[i * values + e] * inverse;
    f.row_max[head * f.sizes.queries + first + i] = states[i].reference;
    f.row_sum[head * f.sizes.queries + first + i] = static_cast<float>(states[i].sum);
  }
}

}  // namespace

void fourier_attention(const AttentionSizes& sizes, const AttentionMask& mask, const FourierKernel& kernel,
                       Heads<const float> q, Heads<const float> k, Heads<const float> v, const float* r,
                       Heads<float> out, float* row_max, float* row_sum) {
  const FeatureTables tables(sizes.heads, sizes.dim, r);
  const PackedRows queries(sizes, q, sizes.queries, query_tile, tables);
  const PackedRows keys(sizes, k, sizes.keys, key_tile, tables);
  const Forward forward{sizes, mask, kernel, v, out, row_max, row_sum, tables, queries, keys, Power(kernel.power)};
  parallel_for(sizes.batch * sizes.heads * queries.tiles(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / queries.tiles();
      attend(forward, head / sizes.heads, head % sizes.heads, task % queries.tiles());
    }
  });
}

}  // namespace ff::cpu
