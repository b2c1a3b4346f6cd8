// What the forward and the backward kernel of softmax attention share: per-target code, included again for each target.
//
// Tiles of scores lie key by key, the queries of a key next to each other: lanes run over queries, so that a row's
// maximum and sum take no operation across lanes, keys and values are read where they are, one number at a time for all
// queries, and only the queries need to be transposed.

#if defined(FF_CORE_CPU_SOFTMAX_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_SOFTMAX_ATTENTION_INL_H_
#undef FF_CORE_CPU_SOFTMAX_ATTENTION_INL_H_
#else
#define FF_CORE_CPU_SOFTMAX_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/cpu/exp2-inl.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/softmax_attention_tasks.h"
#include "ff/core/cpu/tile_product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {

template <class T>
inline constexpr T kInfinity = std::numeric_limits<T>::infinity();
inline constexpr TileLayout kByKey{1, attention_tile};

/// The queries of a tile: rows of them, the lanes beyond up to `columns` being padding.
template <class T>
struct QueryTile {
  std::int64_t b, h, first, rows, columns;

  QueryTile(const AttentionSizes& sizes, std::int64_t head, std::int64_t index)
      : b(head / sizes.heads), h(head % sizes.heads), first(index * attention_tile) {
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
    rows = std::min(attention_tile, sizes.queries - first);
    columns = (rows + lanes - 1) / lanes * lanes;
  }
  /// With the keys from key on that some of the queries see.
  AttentionTile with_keys(std::int64_t key, std::int64_t seen) const {
    return {b, h, first, rows, key, std::min(attention_tile, seen - key)};
  }
  /// Position of a number per query in a dense (B, H, N) array.
  std::int64_t row_index(const AttentionSizes& sizes) const { return (b * sizes.heads + h) * sizes.queries + first; }
};

#if HWY_TARGET != HWY_SCALAR
// Four rows by four columns of float, or two by two of double: to[c * to_row + r] = factor * from[r * from_row + c].
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void transpose_block(D d, const T* from, std::int64_t from_row, T factor, T* to, std::int64_t to_row) {
  const auto scale = hn::Set(d, factor);
  auto load = [&](std::int64_t row) { return hn::Mul(scale, hn::LoadU(d, from + row * from_row)); };
  if constexpr (sizeof(T) == 8) {
    const auto row0 = load(0), row1 = load(1);
    hn::StoreU(hn::InterleaveLower(d, row0, row1), d, to);
    hn::StoreU(hn::InterleaveUpper(d, row0, row1), d, to + to_row);
  } else {
    const auto row0 = load(0), row1 = load(1), row2 = load(2), row3 = load(3);
    const auto even_low = hn::InterleaveLower(d, row0, row2), odd_low = hn::InterleaveLower(d, row1, row3);
    const auto even_high = hn::InterleaveUpper(d, row0, row2), odd_high = hn::InterleaveUpper(d, row1, row3);
    hn::StoreU(hn::InterleaveLower(d, even_low, odd_low), d, to);
    hn::StoreU(hn::InterleaveUpper(d, even_low, odd_low), d, to + to_row);
    hn::StoreU(hn::InterleaveLower(d, even_high, odd_high), d, to + 2 * to_row);
    hn::StoreU(hn::InterleaveUpper(d, even_high, odd_high), d, to + 3 * to_row);
  }
}
#endif

/// to[c * to_row + r] = factor * from[r * from_row + c]
template <class T>
void transpose(std::int64_t rows, std::int64_t columns, const T* from, std::int64_t from_row, T factor, T* to,
               std::int64_t to_row) {
  std::int64_t whole_rows = 0, whole_columns = 0;  // what blocks cover
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<T, 16 / sizeof(T)> d;
  constexpr std::int64_t side = 16 / sizeof(T);
  whole_rows = rows / side * side;
  whole_columns = columns / side * side;
  for (std::int64_t r = 0; r < whole_rows; r += side) {
    for (std::int64_t c = 0; c < whole_columns; c += side) {
      transpose_block(d, from + r * from_row + c, from_row, factor, to + c * to_row + r, to_row);
    }
  }
#endif
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
      to[c * to_row + r] = factor * from[r * from_row + c];
    }
  }
}

/// to[d * attention_tile + i] = factor * from[i * row + d] for the tile's queries, 0 for its padding.
template <class T>
void transpose_in(const QueryTile<T>& tile, const T* from, std::int64_t row, std::int64_t features, T factor, T* to) {
  transpose(tile.rows, features, from, row, factor, to, attention_tile);
  for (std::int64_t d = 0; d < features; ++d) {
    std::fill(to + d * attention_tile + tile.rows, to + d * attention_tile + tile.columns, T{0});
  }
}

/// to[i * row + d] = from[d * attention_tile + i]
template <class T>
void transpose_out(const QueryTile<T>& tile, const T* from, std::int64_t features, T* to, std::int64_t row) {
  transpose(features, tile.rows, from, attention_tile, T{1}, to, row);
}

/// scores[j * attention_tile + i] = k_j . q_i, the queries transposed; hidden pairs -infinity.
template <class T>
void score_tile(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, std::int64_t columns,
                const Heads<const T>& k, const T* queries, T* scores) {
  tile_product(TileProduct<T>{tile.keys, columns, sizes.dim, k.at(tile.b, tile.h, tile.key), k.row, 1, queries,
                              attention_tile, scores, attention_tile, false});
  hide_masked(sizes, mask, tile, scores, kByKey);
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
