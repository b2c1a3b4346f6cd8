#include "ff/core/cpu/fourier_tiling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/cpu/polynomials.h"
#include "ff/core/parallel.h"

namespace ff::cpu::fourier {
namespace {

constexpr double pi = std::numbers::pi;
constexpr float hidden = -std::numeric_limits<float>::infinity(), largest = std::numeric_limits<float>::max();

// Coefficient k of a polynomial in x^2 becomes that of one in x = r times a difference: times factor r^(2 k).
template <std::size_t n>
void rescale(const double (&c)[n], double factor, double r, float (&out)[n]) {
  for (std::size_t k = 0; k < n; ++k, factor *= r * r) out[k] = static_cast<float>(c[k] * factor);
}

RangePolynomials polynomials_of(double r) {
  RangePolynomials p;
  rescale(polynomial::log2_sinc_small, r * r, r, p.log_small);
  rescale(polynomial::log2_sinc_medium, r * r, r, p.log_medium);
  rescale(polynomial::log2_sinc_large, r * r, r, p.log_large);
  rescale(polynomial::sinc_wide, r * r, r, p.sinc_wide);
  rescale(polynomial::log_sinc_grad_small, pi * r, r, p.grad_small);
  rescale(polynomial::log_sinc_grad_medium, pi * r, r, p.grad_medium);
  rescale(polynomial::log_sinc_grad_large, pi * r, r, p.grad_large);
  rescale(polynomial::log_sinc_grad_wide, pi * r, r, p.grad_wide);
  return p;
}

}  // namespace

std::int64_t packed_stride(std::int64_t row_count, std::int64_t tile_rows) {
  const std::int64_t rows = std::min(tile_rows, round_up(row_count, key_block));
  // Strides of 1 KiB would put all features of a key into a few sets of the cache.
  return rows >= key_tile ? rows + key_block : rows;
}

FeatureTables::FeatureTables(std::int64_t heads, std::int64_t dim, const float* r)
    : dim_(dim),
      stride_(round_up(dim, key_block)),
      turns_(heads * stride_, 0.0),
      unit_(heads * stride_, 0.0f),
      scale_(heads * stride_, 0.0f),
      limit_(heads * stride_, 0.0f),
      polynomials_(heads * stride_) {
  for (std::int64_t i = 0; i < heads * dim; ++i) {
    const std::int64_t at = i / dim * stride_ + i % dim;
    const bool finite = std::isfinite(r[i]);
    const int exponent = finite && r[i] != 0 ? std::ilogb(r[i]) : 0;
    const double in_units = finite ? std::ldexp(double{r[i]}, -exponent) : 0;
    unit_[at] = in_units == 0 ? 0.0f : std::ldexp(1.0f, exponent);
    turns_[at] = in_units / pi;
    scale_[at] = static_cast<float>(turns_[at]);
    polynomials_[at] = polynomials_of(in_units);
    // Beyond |R q| = 2^28 a float has no digits left that the sine depends on.
    limit_[at] = finite ? static_cast<float>(0x1p28 / std::max(1.0, std::abs(in_units)))
                        : std::numeric_limits<float>::quiet_NaN();
  }
}

Features FeatureTables::head(std::int64_t h) const {
  const std::int64_t at = h * stride_;
  return {
      dim_, unit_.data() + at, turns_.data() + at, scale_.data() + at, limit_.data() + at, polynomials_.data() + at};
}

PackedRows::PackedRows(const AttentionSizes& sizes, Heads<const float> rows, std::int64_t row_count,
                       std::int64_t tile_rows, std::int64_t range_rows, const FeatureTables& tables)
    : dim_(sizes.dim),
      row_count_(row_count),
      tile_rows_(std::min(tile_rows, round_up(row_count, key_block))),
      stride_(packed_stride(row_count, tile_rows)),
      tiles_(row_count ? num_chunks(row_count, tile_rows_) : 0),
      range_rows_(range_rows),
      tile_ranges_(num_chunks(tile_rows_, range_rows) * round_up(dim_, key_block)),
      value_(sizes.batch * sizes.heads * tiles_ * dim_ * stride_),
      phase_(value_.size()),
      tail_(value_.size()),
      low_(sizes.batch * sizes.heads * tiles_ * tile_ranges_),
      high_(low_.size()),
      poison_(sizes.batch * sizes.heads * tiles_ * stride_) {
  parallel_for(sizes.batch * sizes.heads * tiles_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / tiles_, t = task % tiles_, b = head / sizes.heads, h = head % sizes.heads;
      pack_tile(tables.head(h), rows.at(b, h, t * tile_rows_), rows.row, this->rows(t),
                round_up(this->rows(t), key_block), range_rows, tile(head, t));
    }
  });
}

PackedTile PackedRows::tile(std::int64_t head, std::int64_t t) const {
  const std::int64_t index = head * tiles_ + t, at = index * dim_ * stride_;
  return {value_.data() + at,
          phase_.data() + at,
          tail_.data() + at,
          low_.data() + index * tile_ranges_,
          high_.data() + index * tile_ranges_,
          poison_.data() + index * stride_,
          stride_};
}

void PackedRows::find_phases(std::int64_t head, std::int64_t t, const Features& features, const Range* reach) const {
  for (std::int64_t d = 0; d < dim_; ++d)
    if (reach[d] == Range::any) fourier::find_phases(features, d, round_up(rows(t), key_block), tile(head, t));
}

void PackedRows::find_range(std::int64_t head, float* low, float* high) const {
  const std::int64_t width = round_up(dim_, key_block);
  std::fill_n(low, width, largest);
  std::fill_n(high, width, -largest);
  for (std::int64_t t = 0; t < tiles_; ++t) {
    const PackedTile packed = tile(head, t);
    for (std::int64_t i = 0; i < num_chunks(round_up(rows(t), key_block), range_rows_); ++i) {
      for (std::int64_t d = 0; d < width; ++d) {
        low[d] = std::min(low[d], packed.low[i * width + d]);
        high[d] = std::max(high[d], packed.high[i * width + d]);
      }
    }
  }
}

PackedInputs::PackedInputs(const AttentionSizes& sizes, Heads<const float> q, Heads<const float> k,
                           const FeatureTables& tables)
    : queries(sizes, q, sizes.queries, query_tile, query_block, tables),
      keys(sizes, k, sizes.keys, key_tile, key_tile, tables) {
  const std::int64_t heads = sizes.batch * sizes.heads, tiles = queries.tiles() + keys.tiles();
  const std::int64_t width = round_up(sizes.dim, key_block);
  const Scratch<Range> reach(heads * width);
  parallel_for(heads, 1, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<float> range(4 * width);
    float *q_low = range.data(), *q_high = q_low + width, *k_low = q_high + width, *k_high = k_low + width;
    for (std::int64_t head = begin; head < end; ++head) {
      queries.find_range(head, q_low, q_high);
      keys.find_range(head, k_low, k_high);
      classify(tables.head(head % sizes.heads), q_low, q_high, k_low, k_high, reach.data() + head * width);
    }
  });
  parallel_for(heads * tiles, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / tiles, t = task % tiles;
      const PackedRows& rows = t < queries.tiles() ? queries : keys;
      rows.find_phases(head, t < queries.tiles() ? t : t - queries.tiles(), tables.head(head % sizes.heads),
                       reach.data() + head * width);
    }
  });
}

DenseRows::DenseRows(Heads<const float> rows, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t count,
                     std::int64_t width)
    : copy_(rows.row >= width ? 0 : count * width),
      data_(rows.at(b, h, first)),
      row_(std::max<std::int64_t>(1, rows.row)) {
  if (rows.row >= width) return;
  for (std::int64_t i = 0; i < count; ++i) std::copy_n(rows.at(b, h, first + i), width, copy_.data() + i * width);
  data_ = copy_.data();
  row_ = width;
}

TilePair::TilePair(const AttentionSizes& sizes, const AttentionMask& mask, std::int64_t b, std::int64_t h,
                   const PackedRows& queries, std::int64_t t_q, const PackedRows& keys, std::int64_t t_k)
    : sizes_(sizes),
      mask_(mask),
      tile_{b, h, t_q * queries.tile_rows(), queries.rows(t_q), t_k * keys.tile_rows(), keys.rows(t_k)},
      width_(0) {
  for (std::int64_t i = 0; i < tile_.queries; i += query_block) {
    const std::int64_t last = tile_.query + std::min(i + query_block, tile_.queries) - 1;
    const std::int64_t seen = std::clamp<std::int64_t>(causal_keys(sizes, mask, last) - tile_.key, 0, tile_.keys);
    width_ = columns_[i / query_block] = round_up(seen, key_block);
  }
  tile_.keys = std::min(tile_.keys, width_);
}

ScoreTile TilePair::prepare(const Features& features, const PackedTile& q, const PackedTile& k, float* mantissa,
                            float* exponent, std::int64_t ld, Range* ranges) const {
  for (std::int64_t block = 0; block * query_block < tile_.queries; ++block) {
    const std::int64_t at = block * round_up(features.dim, key_block);
    classify(features, q.low + at, q.high + at, k.low, k.high, ranges + block * features.dim);
  }
  return {tile_.queries, ld, columns_, ranges, mantissa, exponent};
}

void TilePair::score(const Features& features, const PackedTile& q, const PackedTile& k,
                     const ScoreTile& scores) const {
  score_tile(features, q, k, scores);
  if (mask_.causal || mask_.mask) hide_masked(sizes_, mask_, tile_, scores.exponent, scores.ld);
  if (tile_.keys < width_) {
    for (std::int64_t i = 0; i < tile_.queries; ++i)
      std::fill(scores.exponent + i * scores.ld + tile_.keys, scores.exponent + i * scores.ld + width_, hidden);
  }
}

}  // namespace ff::cpu::fourier
