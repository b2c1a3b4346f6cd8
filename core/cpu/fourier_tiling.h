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
  std::int64_t dim_, stride_;
  Scratch<double> turns_;
  Scratch<float> unit_, scale_, limit_;
  Scratch<RangePolynomials> polynomials_;
};

/// The stride of packed tiles of up to tile_rows of row_count rows.
std::int64_t packed_stride(std::int64_t row_count, std::int64_t tile_rows);

/// All rows of the queries or keys (B, H, rows, D), cut into tiles of up to tile_rows and packed, on all threads; their
/// least and largest values of range_rows at a time. Without phases.
class PackedRows {
 public:
  PackedRows(const AttentionSizes&, Heads<const float> rows, std::int64_t row_count, std::int64_t tile_rows,
             std::int64_t range_rows, const FeatureTables&);

  std::int64_t row_count() const { return row_count_; }
  std::int64_t tiles() const { return tiles_; }          ///< of a head
  std::int64_t tile_rows() const { return tile_rows_; }  ///< of every tile but the last
  std::int64_t stride() const { return stride_; }        ///< of every tile
  /// How many of the rows are in tile t.
  std::int64_t rows(std::int64_t t) const { return std::min(tile_rows_, row_count_ - t * tile_rows_); }
  /// Tile t of head b * H + h.
  PackedTile tile(std::int64_t head, std::int64_t t) const;
  /// The least and largest value of each feature of a head, written to low and high (D, padded to key_block).
  void find_range(std::int64_t head, float* low, float* high) const;
  /// Adds to tile t the phases of those of its features that reach Range::any.
  void find_phases(std::int64_t head, std::int64_t t, const Features&, const Range* reach) const;

 private:
  std::int64_t dim_, row_count_, tile_rows_, stride_, tiles_, range_rows_, tile_ranges_;
  Scratch<float> value_;
  Scratch<std::int32_t> phase_;
  Scratch<float> tail_, low_, high_, poison_;
};

/// The queries and keys of a call, packed, with the phases of those features of a head that reach Range::any.
struct PackedInputs {
  PackedInputs(const AttentionSizes&, Heads<const float> q, Heads<const float> k, const FeatureTables&);
  PackedRows queries, keys;
  /// Where the weights of query tile t of a head begin, of kept_weights() in all, the rows of a tile keys.stride()
  /// apart.
  std::int64_t kept_tile(std::int64_t head, std::int64_t t) const {
    return (head * round_up(queries.row_count(), key_block) + t * queries.tile_rows()) * keys.stride();
  }
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
  /// What is to be computed: memory for scores (round_up(queries, query_block) rows, ld) and for ranges
  /// (query_tile / query_block, D), which it fills.
  ScoreTile prepare(const Features&, const PackedTile& q, const PackedTile& k, float* mantissa, float* exponent,
                    std::int64_t ld, Range* ranges) const;
  /// Computes the scores, hiding those of pairs that may not see each other.
  void score(const Features&, const PackedTile& q, const PackedTile& k, const ScoreTile&) const;

 private:
  const AttentionSizes& sizes_;
  const AttentionMask& mask_;
  AttentionTile tile_;
  std::int64_t width_;
  std::int64_t columns_[query_tile / query_block];
};

}  // namespace ff::cpu::fourier
