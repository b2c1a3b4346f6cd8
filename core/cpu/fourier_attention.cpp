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
  FourierRows<float> rows;
  const FeatureTables& tables;
  const PackedInputs& inputs;
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

// Makes factors of the weights that multiply the values.
void apply_dropout(const Forward& f, const AttentionTile& tile, const float* weights, std::int64_t ld, float* factors) {
  dropout_factors(f.sizes, f.mask, tile, factors, ld);
  for (std::int64_t i = 0; i < tile.queries; ++i)
    for (std::int64_t j = 0; j < tile.keys; ++j) factors[i * ld + j] *= weights[i * ld + j];
}

void scale_rows(float* rows, std::int64_t width, std::int64_t count, const float* by) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (by[i] == 1) continue;
    for (std::int64_t e = 0; e < width; ++e) rows[i * width + e] *= by[i];
  }
}

// The outputs of query tile t_q of head (b, h): key tile after key tile, the weights relative to the largest so far.
void attend(const Forward& f, std::int64_t b, std::int64_t h, std::int64_t t_q) {
  const std::int64_t head = b * f.sizes.heads + h, first = t_q * f.inputs.queries.tile_rows(),
                     rows = f.inputs.queries.rows(t_q);
  const std::int64_t values = f.sizes.value_dim, ld = f.inputs.keys.stride();
  const bool keep = f.rows.weights, dropout = f.mask.dropout > 0;
  const Scratch<float> mantissa(keep ? 0 : query_tile * ld), exponent(query_tile * ld), sum(query_tile * values, 0.0f);
  const Scratch<float> factors(dropout ? query_tile * ld : 0);
  const Scratch<Range> ranges(query_tile / query_block * f.sizes.dim);
  float* weights = keep ? f.rows.weights + f.inputs.kept_tile(head, t_q) : mantissa.data();
  const Features features = f.tables.head(h);
  RowState states[query_tile];
  std::fill_n(states, rows, first_state(f.kernel, f.power));
  for (std::int64_t t_k = 0; t_k < f.inputs.keys.tiles(); ++t_k) {
    const TilePair pair(f.sizes, f.mask, b, h, f.inputs.queries, t_q, f.inputs.keys, t_k);
    if (pair.empty()) break;
    const PackedTile q = f.inputs.queries.tile(head, t_q), k = f.inputs.keys.tile(head, t_k);
    const ScoreTile scores = pair.prepare(features, q, k, weights, exponent.data(), ld, ranges.data());
    pair.score(features, q, k, scores);
    float rescale[query_tile];
    weigh_tile(f.power, scores, pair.width(), states, rescale);
    if (dropout) apply_dropout(f, pair.tile(), weights, ld, factors.data());
    scale_rows(sum.data(), values, rows, rescale);
    const DenseRows v(f.v, b, h, pair.tile().key, pair.keys(), values);
    if (values > 0)
      gemm_serial(false, false, rows, values, pair.keys(), 1.0f, dropout ? factors.data() : weights, ld, v.data(),
                  v.row(), 1.0f, sum.data(), values);
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const float inverse = states[i].sum == 0 ? 0.0f : static_cast<float>(1 / states[i].sum);
    float* out = f.out.at(b, h, first + i);
    for (std::int64_t e = 0; e < values; ++e) out[e] = sum[i * values + e] * inverse;
    f.rows.max[head * f.sizes.queries + first + i] = states[i].reference;
    f.rows.sum[head * f.sizes.queries + first + i] = static_cast<float>(states[i].sum);
  }
}

}  // namespace

std::int64_t kept_weights(const AttentionSizes& sizes) {
  const auto [batch, heads, queries, keys, dim, values] = sizes;
  const std::int64_t head = round_up(queries, key_block) * packed_stride(keys, key_tile);
  const bool small = batch * heads * head * static_cast<std::int64_t>(sizeof(float)) <= kept_bytes;
  return keys <= key_tile && (small || head <= (queries + keys) * (dim + values)) ? batch * heads * head : 0;
}

void fourier_attention(const AttentionSizes& sizes, const AttentionMask& mask, const FourierKernel& kernel,
                       Heads<const float> q, Heads<const float> k, Heads<const float> v, const float* r,
                       Heads<float> out, const FourierRows<float>& rows) {
  const FeatureTables tables(sizes.heads, sizes.dim, r);
  const PackedInputs packed(sizes, q, k, tables);
  const PackedRows& queries = packed.queries;
  const Forward forward{sizes, mask, kernel, v, out, rows, tables, packed, Power(kernel.power)};
  parallel_for(sizes.batch * sizes.heads * queries.tiles(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / queries.tiles();
      attend(forward, head / sizes.heads, head % sizes.heads, task % queries.tiles());
    }
  });
}

}  // namespace ff::cpu
