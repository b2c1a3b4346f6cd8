#include "ff/core/cpu/attention.h"

#include <algorithm>
#include <limits>

#include "ff/core/cpu/philox.h"

namespace ff::cpu {
namespace {

// Hides what the mask hides of one row of a tile: n pairs, their mask bytes step apart.
template <class T>
void hide_row(const std::uint8_t* allowed, std::int64_t step, std::int64_t n, T* row) {
  constexpr T hidden = -std::numeric_limits<T>::infinity();
  if (step == 0) {
    if (n > 0 && !*allowed) std::fill(row, row + n, hidden);
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) row[i] = allowed[i * step] ? row[i] : hidden;
}

template <class T>
void hide(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, T* scores,
          TileLayout layout) {
  constexpr T hidden = -std::numeric_limits<T>::infinity();
  const bool by_key = layout.query_step == 1;  // rows of the tile are keys
  if (mask.causal && causal_keys(sizes, mask, tile.query) < tile.key + tile.keys) {
    for (std::int64_t j = 0; by_key && j < tile.keys; ++j) {
      const std::int64_t first = causal_first_query(sizes, mask, tile.key + j) - tile.query;
      T* row = scores + j * layout.key_step;
      std::fill(row, row + std::clamp<std::int64_t>(first, 0, tile.queries), hidden);
    }
    for (std::int64_t i = 0; !by_key && i < tile.queries; ++i) {
      const std::int64_t seen = causal_keys(sizes, mask, tile.query + i) - tile.key;
      T* row = scores + i * layout.query_step;
      std::fill(row + std::clamp<std::int64_t>(seen, 0, tile.keys), row + tile.keys, hidden);
    }
  }
  if (!mask.mask) return;
  const std::uint8_t* allowed =
      mask.mask + tile.b * mask.batch + tile.h * mask.head + tile.query * mask.query + tile.key * mask.key;
  for (std::int64_t j = 0; by_key && j < tile.keys; ++j) {
    hide_row(allowed + j * mask.key, mask.query, tile.queries, scores + j * layout.key_step);
  }
  for (std::int64_t i = 0; !by_key && i < tile.queries; ++i) {
    hide_row(allowed + i * mask.query, mask.key, tile.keys, scores + i * layout.query_step);
  }
}

template <class T>
void drop(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, T* factors,
          TileLayout layout) {
  constexpr std::int64_t chunk = 64;  // keys at a time
  const std::uint32_t threshold = drop_threshold(mask.dropout);
  const T kept = static_cast<T>(1 / (1 - mask.dropout));
  std::uint32_t words[chunk + 8];
  for (std::int64_t i = 0; i < tile.queries; ++i) {
    const std::int64_t row = (tile.b * sizes.heads + tile.h) * sizes.queries + tile.query + i;
    for (std::int64_t j = 0; j < tile.keys; j += chunk) {
      // Word `first` of the stretch belongs to this chunk's first key; blocks of four words need not begin there.
      const std::int64_t first = row * sizes.keys + tile.key + j, n = std::min(chunk, tile.keys - j);
      philox_words(mask.random, static_cast<std::uint64_t>(first / 4), (first % 4 + n + 3) / 4, words);
      T* out = factors + i * layout.query_step + j * layout.key_step;
      for (std::int64_t l = 0; l < n; ++l) out[l * layout.key_step] = words[first % 4 + l] < threshold ? T{0} : kept;
    }
  }
}

}  // namespace

std::int64_t causal_keys(const AttentionSizes& sizes, const AttentionMask& mask, std::int64_t query) {
  if (!mask.causal) return sizes.keys;
  return std::clamp<std::int64_t>(query + sizes.keys - sizes.queries + 1, 0, sizes.keys);
}

std::int64_t causal_first_query(const AttentionSizes& sizes, const AttentionMask& mask, std::int64_t key) {
  if (!mask.causal) return 0;
  return std::clamp<std::int64_t>(key - (sizes.keys - sizes.queries), 0, sizes.queries);
}

void hide_masked(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, float* scores,
                 TileLayout layout) {
  hide(sizes, mask, tile, scores, layout);
}

void hide_masked(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, double* scores,
                 TileLayout layout) {
  hide(sizes, mask, tile, scores, layout);
}

void dropout_factors(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, float* factors,
                     TileLayout layout) {
  drop(sizes, mask, tile, factors, layout);
}

void dropout_factors(const AttentionSizes& sizes, const AttentionMask& mask, const AttentionTile& tile, double* factors,
                     TileLayout layout) {
  drop(sizes, mask, tile, factors, layout);
}

}  // namespace ff::cpu
