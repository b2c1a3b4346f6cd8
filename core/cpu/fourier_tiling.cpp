#include "ff/core/cpu/fourier_tiling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/parallel.h"

namespace ff::cpu::fourier {
namespace {

constexpr double pi = std::numbers::pi;
constexpr float hidden = -std::numeric_limits<float>::infinity();

// Rows of a packed tile. Strides of 1 KiB would put all features of a key into a few sets of the cache.
std::int64_t padded_stride(std::int64_t tile_rows) { return tile_rows >= key_tile ? tile_rows + key_block : tile_rows; }

}  // namespace

FeatureTables::FeatureTables(std::int64_t heads, std::int64_t dim, const float* r)
    : dim_(dim), turns_(heads * dim), scale_(heads * dim), limit_(heads * dim) {
  for (std::int64_t i = 0; i < heads * dim; ++i) {
    const bool finite = std::isfinite(r[i]);
    const double size = finite ? std::abs(double{r[i]}) : 0;
    turns_[i] = finite ? r[i] / pi : 0;
    scale_[i] = static_cast<float>(turns_[i]);
    // Beyond |R q| = 2^28 a float has no digits left that the sine depends on.
    limit_[i] = finite ? static_cast<float>(std::min(0x1p28 / size, 1e37)) : std::numeric_limits<float>::quiet_NaN();
  }
}

Features FeatureTables::head(std::int64_t h) const {
  const std::int64_t at = h * dim_;
  return {dim_, turns_.data() + at, scale_.data() + at, limit_.data() + at};
}

PackedRows::PackedRows(const AttentionSizes& sizes, Heads<const float> rows, std::int64_t row_count,
                       std::int64_t tile_rows, const FeatureTables& tables)
    : dim_(sizes.dim),
      row_count_(row_count),
      tile_rows_(std::min(tile_rows, round_up(row_count, key_block))),
      stride_(padded_stride(tile_rows_)),
      tiles_(row_count ? num_chunks(row_count, tile_rows_) : 0),
      value_(sizes.batch * sizes.heads * tiles_ * dim_ * stride_),
      phase_(value_.size()),
      tail_(value_.size()),
      low_(sizes.batch * sizes.heads * tiles_ * dim_),
      high_(low_.size()),
      poison_(sizes.batch * sizes.heads * tiles_ * stride_) {
  parallel_for(sizes.batch * sizes.heads * tiles_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / tiles_, t = task % tiles_, b = head / sizes.heads, h = head % sizes.heads;
      pack_tile(tables.head(h), rows.at(b, h, t * tile_rows_), rows.row, this->rows(t),
                round_up(this->rows(t), key_block), tile(head, t));
    }
  });
}

PackedTile PackedRows::tile(std::int64_t head, std::int64_t t) const {
  const std::int64_t index = head * tiles_ + t, at = index * dim_ * stride_;
  return {value_.data() + at,
          phase_.data() + at,
          tail_.data() + at,
          low_.data() + index * dim_,
          high_.data() + index * dim_,
          poison_.data() + index * stride_,
          stride_};
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

ScoreTile TilePair::score(const Features& features, const PackedTile& q, const PackedTile& k, float* mantissa,
                          float* exponent, std::int64_t ld, std::int64_t* order) const {
  const ScoreTile scores{tile_.queries, ld, columns_, order_features(features, q, k, order), mantissa, exponent};
  score_tile(features, q, k, scores);
  if (mask_.causal || mask_.mask) hide_masked(sizes_, mask_, tile_, exponent, ld);
  if (tile_.keys < width_) {
    for (std::int64_t i = 0; i < tile_.queries; ++i)
      std::fill(exponent + i * ld + tile_.keys, exponent + i * ld + width_, hidden);
  }
  return scores;
}

}  // namespace ff::cpu::fourier
