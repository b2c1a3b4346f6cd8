#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/core/cpu/fourier_attention.h"
#include "ff/core/cpu/fourier_tiling.h"
#include "ff/core/cpu/matmul.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

using namespace fourier;

struct Backward {
  const AttentionSizes& sizes;
  const AttentionMask& mask;
  const FourierKernel& kernel;
  Heads<const float> v, out;
  const float* r;
  FourierRows<const float> rows;
  Heads<const float> dout;
  Heads<float> dq, dk, dv;
  float* dr;
  const FeatureTables& tables;
  const PackedInputs& inputs;
  Power power;
  // The query tiles of a head are taken in chunks, each with sums of its own over its queries.
  std::int64_t chunk_tiles, chunks;
};

// Sums over the queries of a chunk of a head, one slice a chunk: dk as (key tiles, D, stride), dv as (M, E), dr as (D).
struct Partial {
  float *dk, *dv;
  double* dr;
};

class Partials {
 public:
  explicit Partials(const Backward& f)
      : dk_size_(f.inputs.keys.tiles() * f.sizes.dim * f.inputs.keys.stride()),
        dv_size_(f.sizes.keys * f.sizes.value_dim),
        dr_size_(f.sizes.dim),
        chunks_(f.chunks),
        dk_(f.sizes.batch * f.sizes.heads * f.chunks * dk_size_),
        dv_(f.sizes.batch * f.sizes.heads * f.chunks * dv_size_),
        dr_(f.sizes.batch * f.sizes.heads * f.chunks * dr_size_) {}

  Partial at(std::int64_t head, std::int64_t chunk) const {
    const std::int64_t i = head * chunks_ + chunk;
    return {dk_.data() + i * dk_size_, dv_.data() + i * dv_size_, dr_.data() + i * dr_size_};
  }
  /// Zeroed by the thread that is to use it.
  Partial clear(std::int64_t head, std::int64_t chunk) const {
    const Partial p = at(head, chunk);
    std::fill_n(p.dk, dk_size_, 0.0f);
    std::fill_n(p.dv, dv_size_, 0.0f);
    std::fill_n(p.dr, dr_size_, 0.0);
    return p;
  }

 private:
  std::int64_t dk_size_, dv_size_, dr_size_, chunks_;
  Scratch<float> dk_, dv_;
  Scratch<double> dr_;
};

RowGradient row_gradient(const Backward& f, std::int64_t b, std::int64_t h, std::int64_t i) {
  const float *out = f.out.at(b, h, i), *dout = f.dout.at(b, h, i);
  double mean = 0;
  for (std::int64_t e = 0; e < f.sizes.value_dim; ++e) mean += double{out[e]} * dout[e];
  const float sum = f.rows.sum[(b * f.sizes.heads + h) * f.sizes.queries + i];
  return {sum == 0 ? 0.0f : 1 / sum, static_cast<float>(mean)};
}

// Working memory of a thread on a pair of tiles.
struct Workspace {
  explicit Workspace(const Backward& f)
      : ld(f.inputs.keys.stride()),
        weights(query_tile * ld),
        exponent(f.rows.weights ? 0 : query_tile * ld),
        products(query_tile * ld),
        factors(f.mask.dropout > 0 ? query_tile * ld : 0),
        ranges(query_tile / query_block * f.sizes.dim) {}
  std::int64_t ld;
  Scratch<float> weights, exponent, products, factors;
  Scratch<Range> ranges;
};

struct TileGradient {
  const RowGradient* rows;  // of the query tile
  float* dq;                // (D, stride)
  float *dk, *dv;           // of the key tile: (D, stride), (keys, E)
  double* dr;
};

// All gradients that the pairs of query tile t_q and key tile t_k contribute.
void tile_gradients(const Backward& f, const TilePair& pair, const PackedTile& q, const PackedTile& k, Workspace& w,
                    const TileGradient& gradient) {
  const AttentionTile& tile = pair.tile();
  const Features features = f.tables.head(tile.h);
  const std::int64_t values = f.sizes.value_dim, ld = w.ld, head = tile.b * f.sizes.heads + tile.h;
  float *weights = w.weights.data(), *products = w.products.data();
  const float* kept = f.rows.weights;
  const ScoreTile scores = pair.prepare(features, q, k, weights, w.exponent.data(), ld, w.ranges.data());
  if (!kept) {
    pair.score(features, q, k, scores);
    weigh_again(f.power, scores, pair.width(), f.rows.max + head * f.sizes.queries + tile.query);
  }
  const DenseRows dout(f.dout, tile.b, tile.h, tile.query, tile.queries, values);
  const DenseRows v(f.v, tile.b, tile.h, tile.key, tile.keys, values);
  gemm_serial(false, true, tile.queries, tile.keys, values, 1.0f, dout.data(), dout.row(), v.data(), v.row(), 0.0f,
              products, ld);
  const bool dropout = f.mask.dropout > 0;
  if (dropout) dropout_factors(f.sizes, f.mask, tile, w.factors.data(), ld);
  const WeightTile weight_tile{
      .rows = tile.queries,
      .width = pair.width(),
      .ld = ld,
      .weights = kept ? kept + f.inputs.kept_tile(head, tile.query / f.inputs.queries.tile_rows()) : weights,
      .factors = dropout ? w.factors.data() : nullptr,
      .closed = f.inputs.keys.tiles() == 1 && f.kernel.epsilon == 0};
  weight_gradients(weight_tile, gradient.rows, weights, products);
  if (values > 0)
    gemm_serial(true, false, tile.keys, values, tile.queries, 1.0f, weights, ld, dout.data(), dout.row(), 1.0f,
                gradient.dv, values);
  score_gradients(features, q, k, scores, products, gradient.dq, gradient.dk, gradient.dr);
}

// Writes rows first to first + count of a gradient from a packed tile (D, stride) of sums.
void unpack(const float* sums, std::int64_t stride, std::int64_t dim, const float* r, double factor,
            Heads<float> gradient, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = gradient.at(b, h, first + i);
    for (std::int64_t d = 0; d < dim; ++d) row[d] = static_cast<float>(factor * r[d] * sums[d * stride + i]);
  }
}

// A chunk of query tiles of head (b, h) against all its keys: writes its dq, leaves the rest to sum_partials.
void chunk_gradients(const Backward& f, std::int64_t b, std::int64_t h, std::int64_t chunk, const Partial& partial) {
  const std::int64_t head = b * f.sizes.heads + h, dim = f.sizes.dim, q_size = dim * f.inputs.queries.stride();
  const std::int64_t begin = chunk * f.chunk_tiles, end = std::min(begin + f.chunk_tiles, f.inputs.queries.tiles());
  const std::int64_t first = begin * f.inputs.queries.tile_rows(),
                     last = std::min(end * f.inputs.queries.tile_rows(), f.sizes.queries);
  Workspace workspace(f);
  const Scratch<float> dq((end - begin) * q_size, 0.0f);
  const Scratch<RowGradient> rows(last - first);
  for (std::int64_t i = first; i < last; ++i) rows[i - first] = row_gradient(f, b, h, i);
  for (std::int64_t t_k = 0; t_k < f.inputs.keys.tiles(); ++t_k) {
    float* dk = partial.dk + t_k * dim * f.inputs.keys.stride();
    float* dv = partial.dv + t_k * f.inputs.keys.tile_rows() * f.sizes.value_dim;
    for (std::int64_t t_q = begin; t_q < end; ++t_q) {
      const TilePair pair(f.sizes, f.mask, b, h, f.inputs.queries, t_q, f.inputs.keys, t_k);
      if (pair.empty()) continue;
      tile_gradients(f, pair, f.inputs.queries.tile(head, t_q), f.inputs.keys.tile(head, t_k), workspace,
                     {rows.data() + pair.tile().query - first, dq.data() + (t_q - begin) * q_size, dk, dv, partial.dr});
    }
  }
  for (std::int64_t t_q = begin; t_q < end; ++t_q) {
    unpack(dq.data() + (t_q - begin) * q_size, f.inputs.queries.stride(), dim, f.r + h * dim,
           -f.kernel.power / std::numbers::pi, f.dq, b, h, t_q * f.inputs.queries.tile_rows(),
           f.inputs.queries.rows(t_q));
  }
}

// dk and dv of key tile t_k of head (b, h), the chunks added up in order into the first.
void sum_partials(const Backward& f, const Partials& partials, std::int64_t b, std::int64_t h, std::int64_t t_k) {
  const std::int64_t head = b * f.sizes.heads + h, dim = f.sizes.dim, values = f.sizes.value_dim;
  const std::int64_t dk_size = dim * f.inputs.keys.stride(), first = t_k * f.inputs.keys.tile_rows(),
                     rows = f.inputs.keys.rows(t_k);
  float *dk = partials.at(head, 0).dk + t_k * dk_size, *dv = partials.at(head, 0).dv + first * values;
  for (std::int64_t chunk = 1; chunk < f.chunks; ++chunk) {
    const Partial part = partials.at(head, chunk);
    for (std::int64_t i = 0; i < dk_size; ++i) dk[i] += part.dk[t_k * dk_size + i];
    for (std::int64_t i = 0; i < rows * values; ++i) dv[i] += part.dv[first * values + i];
  }
  unpack(dk, f.inputs.keys.stride(), dim, f.r + h * dim, f.kernel.power / std::numbers::pi, f.dk, b, h, first, rows);
  for (std::int64_t j = 0; j < rows; ++j) std::copy_n(dv + j * values, values, f.dv.at(b, h, first + j));
}

void sum_dr(const Backward& f, const Partials& partials) {
  for (std::int64_t h = 0; h < f.sizes.heads; ++h) {
    for (std::int64_t d = 0; d < f.sizes.dim; ++d) {
      double sum = 0;
      for (std::int64_t b = 0; b < f.sizes.batch; ++b) {
        for (std::int64_t chunk = 0; chunk < f.chunks; ++chunk) sum += partials.at(b * f.sizes.heads + h, chunk).dr[d];
      }
      f.dr[h * f.sizes.dim + d] = static_cast<float>(f.kernel.power / std::numbers::pi * sum);
    }
  }
}

// Chunks of query tiles: enough tasks to keep 16 threads at work, few enough that their partial sums stay small (with
// 16 heads or more, no larger than dk and dv themselves). By the shape alone, which fixes the order of every sum.
std::int64_t chunk_size(const AttentionSizes& sizes, std::int64_t tiles) {
  const std::int64_t heads = std::max<std::int64_t>(1, sizes.batch * sizes.heads);
  const std::int64_t chunks = std::clamp<std::int64_t>(num_chunks(16, heads), 1, std::max<std::int64_t>(1, tiles));
  return std::max<std::int64_t>(1, num_chunks(tiles, chunks));
}

}  // namespace

void fourier_attention_backward(const AttentionSizes& sizes, const AttentionMask& mask, const FourierKernel& kernel,
                                Heads<const float> q, Heads<const float> k, Heads<const float> v, const float* r,
                                Heads<const float> out, const FourierRows<const float>& rows, Heads<const float> dout,
                                Heads<float> dq, Heads<float> dk, Heads<float> dv, float* dr) {
  const FeatureTables tables(sizes.heads, sizes.dim, r);
  const PackedInputs packed(sizes, q, k, tables);
  const PackedRows& queries = packed.queries;
  const std::int64_t chunk_tiles = chunk_size(sizes, queries.tiles());
  const std::int64_t chunks = std::max<std::int64_t>(1, num_chunks(queries.tiles(), chunk_tiles));
  const Backward backward{
      sizes,       mask,  kernel, v, out, r, rows, dout, dq, dk, dv, dr, tables, packed, Power(kernel.power),
      chunk_tiles, chunks};
  const Partials partials(backward);
  const std::int64_t heads = sizes.batch * sizes.heads;
  parallel_for(heads * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / chunks, chunk = task % chunks;
      chunk_gradients(backward, head / sizes.heads, head % sizes.heads, chunk, partials.clear(head, chunk));
    }
  });
  parallel_for(heads * packed.keys.tiles(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / packed.keys.tiles();
      sum_partials(backward, partials, head / sizes.heads, head % sizes.heads, task % packed.keys.tiles());
    }
  });
  sum_dr(backward, partials);
}

}  // namespace ff::cpu
