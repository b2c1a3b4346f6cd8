#pragma once

#include "ff/core/cpu/attention.h"

namespace ff::cpu {

/// The arguments of softmax_attention, as its tasks take them.
template <class T>
struct SoftmaxForward {
  const AttentionSizes& sizes;
  const AttentionMask& mask;
  double scale;
  Heads<const T> q, k, v;
  Heads<T> out;
  T* lse;
};

/// The arguments of softmax_attention_backward.
template <class T>
struct SoftmaxBackward {
  const AttentionSizes& sizes;
  const AttentionMask& mask;
  double scale;
  Heads<const T> q, k, v, out;
  const T* lse;
  Heads<const T> dout;
  Heads<T> dq, dk, dv;
};

/// Both kernels work on tiles of this many queries by as many keys: the few of them that are alive fit the second-level
/// cache, the scores of one the first-level one.
inline constexpr std::int64_t attention_tile = 64;

constexpr std::int64_t num_query_tiles(const AttentionSizes& s) {
  return (s.queries + attention_tile - 1) / attention_tile;
}

/// Works off tiles of queries [begin, end), counted over all heads.
void forward_query_tiles(const SoftmaxForward<float>&, std::int64_t begin, std::int64_t end);
void forward_query_tiles(const SoftmaxForward<double>&, std::int64_t begin, std::int64_t end);

/// Where gradients of a head's M keys and values add up: rows padded to a multiple of any vector's lanes.
template <class T>
struct KeyGradients {
  T *dk, *dv;
  static constexpr std::int64_t padded(std::int64_t features) { return (features + 15) / 16 * 16; }
  static constexpr std::int64_t size(const AttentionSizes& s) { return s.keys * (padded(s.dim) + padded(s.value_dim)); }
  KeyGradients(const AttentionSizes& s, T* memory) : dk(memory), dv(memory + s.keys * padded(s.dim)) {}
};

/// Writes dq of every step-th tile of queries of a head, from the first on, and adds what these queries give to the
/// gradients of the head's keys and values.
void backward_query_tiles(const SoftmaxBackward<float>&, std::int64_t head, std::int64_t first, std::int64_t step,
                          const KeyGradients<float>&);
void backward_query_tiles(const SoftmaxBackward<double>&, std::int64_t head, std::int64_t first, std::int64_t step,
                          const KeyGradients<double>&);

}  // namespace ff::cpu
