#pragma once

#include <cstdint>

#include "ff/core/cpu/attention.h"
#include "ff/core/cpu/fourier_tiles.h"
#include "ff/core/cpu/scratch.h"

namespace ff::cpu::fourier {

/// R (H, D) as the tiles need it.
class FeatureTables {
 public:
  FeatureTables(std::int64_t heads, std::int64_t dim, const float* r);
  Features head(std::int64_t h) const;

 private:
  std::int64_t dim_;
  Scratch<double> turns_;
  Scratch<float> scale_, limit_;
};

/// All rows of the queries or keys (B, H, rows, D), cut into tiles of up to tile_rows and packed, on all threads.
class PackedRows {
 public:
  PackedRows(const AttentionSizes&, Heads<const float> rows, std::int64_t row_count, std::int64_t tile_rows,
             const FeatureTables&);

  std::int64_t tiles() const { return tiles_; }          ///< of a head
  std::int64_t tile_rows() const { return tile_rows_; }  ///< of every tile but the last
  std::int64_t stride() const { return stride_; }        ///< of every tile
  /// How many of the rows are in tile t.
  std::int64_t rows(std::int64_t t) const { return std::min(tile_rows_, row_count_ - t * tile_rows_); }
  /// Tile t of head b * H + h.
  PackedTile tile(std::int64_t head, std::int64_t t) const;

 private:
  std::int64_t dim_, row_count_, tile_rows_, stride_, tiles_;
  Scratch<float> value_;
  Scratch<std::int32_t> phase_;
  Scratch<float> tail_, low_, high_, poison_;
};

/// Rows first to first + count of (b, h) with rows at least `width` apart, as BLAS wants them: in place, or copied.
class DenseRows {
 public:
  DenseRows(Heads<const float> rows, std::int64_t b, std::int64_t h, std::int64_t first, std::int64_t count,
            std::int64_t width);
  const float* data() const { return data_; }
  std::int64_t row() const { return row_; }

 private:
  Scratch<float> copy_;
  const float* data_;
  std::int64_t row_;
};

/// The pairs of query tile t_q and key tile t_k of a head that may see each other: what to compute, and the masking.
class TilePair {
 public:
  TilePair(const AttentionSizes&, const AttentionMask&, std::int64_t b, std::int64_t h, const PackedRows& queries,
           std::int64_t t_q, const PackedRows& keys, std::int64_t t_k);
  /// No pair: `causal` hides all of them.
  bool empty() const { return width_ == 0; }
  std::int64_t width() const { return width_; }     ///< columns computed, a multiple of key_block
  std::int64_t keys() const { return tile_.keys; }  ///< the keys among them
  const AttentionTile& tile() const { return tile_; }
  /// Scores, their memory given (query_tile rows, ld) and that of the order of features (D); those of pairs that may
  /// not see each other are hidden.
  ScoreTile score(const Features&, const PackedTile& q, const PackedTile& k, float* mantissa, float* exponent,
                  std::int64_t ld, std::int64_t* order) const;

 private:
  const AttentionSizes& sizes_;
  const AttentionMask& mask_;
  AttentionTile tile_;
  std::int64_t width_;
  std::int64_t columns_[query_tile / query_block];
};

}  // namespace ff::cpu::fourier
