#pragma once

#include <cstdint>

#include "ff/core/random.h"

namespace ff::cpu {

/// Sizes of an attention: B batch, H heads, N queries, M keys, D features of a query or key, E of a value.
struct AttentionSizes {
  std::int64_t batch, heads, queries, keys, dim, value_dim;
};

/// A (B, H / shared, rows, features) array whose features lie next to each other, each of its heads being that of
/// `shared` heads of queries: entry (b, h, i, d) is data[b * batch + h / shared * head + i * row + d].
template <class T>
struct Heads {
  T* data = nullptr;
  std::int64_t batch = 0, head = 0, row = 0, shared = 1;
  T* at(std::int64_t b, std::int64_t h, std::int64_t i) const {
    return data + b * batch + (shared == 1 ? h : h / shared) * head + i * row;
  }
};

/// Which keys a query may see, and which weights are dropped.
struct AttentionMask {
  /// Query i sees key j only where j <= i + M - N (the last query sees every key).
  bool causal = false;
  /// Where given, entry (b, h, i, j) at mask[b * batch + h * head + i * query + j * key] (strides may be 0): 1 to see,
  /// 0 not to.
  const std::uint8_t* mask = nullptr;
  std::int64_t batch = 0, head = 0, query = 0, key = 0;
  /// Weight (b, h, i, j) is dropped, and the others scaled by 1 / (1 - p), where word ((b H + h) N + i) M + j of the
  /// stretch is below drop_threshold(p).
  double dropout = 0;
  RandomKey random{};
};

/// A tile of the plane of queries and keys of head (b, h): queries [query, query + queries), keys [key, key + keys).
struct AttentionTile {
  std::int64_t b, h, query, queries, key, keys;
};

/// How many keys, counted from the first, query i sees as far as `causal` is concerned: 0 to M, growing with i.
std::int64_t causal_keys(const AttentionSizes&, const AttentionMask&, std::int64_t query);

/// The first query that sees key j as far as `causal` is concerned: 0 to N, growing with j.
std::int64_t causal_first_query(const AttentionSizes&, const AttentionMask&, std::int64_t key);

/// How a tile lies in memory: the pair of its i-th query and j-th key at [i * query_step + j * key_step], one of the
/// two steps being 1. A number alone is the distance of rows of queries.
struct TileLayout {
  std::int64_t query_step, key_step;
  constexpr TileLayout(std::int64_t query, std::int64_t key = 1) : query_step(query), key_step(key) {}
};

/// Sets scores to -infinity where a query may not see a key. Costs next to nothing where all is seen.
void hide_masked(const AttentionSizes&, const AttentionMask&, const AttentionTile&, float* scores, TileLayout);
void hide_masked(const AttentionSizes&, const AttentionMask&, const AttentionTile&, double* scores, TileLayout);

/// Writes what the weight of a pair is multiplied by: 0 where it is dropped, else 1 / (1 - p). To be called only where
/// dropout > 0.
void dropout_factors(const AttentionSizes&, const AttentionMask&, const AttentionTile&, float* factors, TileLayout);
void dropout_factors(const AttentionSizes&, const AttentionMask&, const AttentionTile&, double* factors, TileLayout);

}  // namespace ff::cpu
