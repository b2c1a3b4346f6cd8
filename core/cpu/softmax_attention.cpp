#include "ff/core/cpu/softmax_attention.h"

#include <algorithm>

#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/softmax_attention_tasks.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

// Pairs of numbers multiplied that make up a task, at least.
constexpr std::int64_t task_work = 1 << 20;
// Where there are fewer heads, the queries of each are dealt out to several tasks, each with its own sum of gradients
// of keys and values (memory for about this many heads), the sums being added up at the end.
constexpr std::int64_t wanted_tasks = 16;

template <class T>
void forward(const SoftmaxForward<T>& f) {
  const AttentionSizes& s = f.sizes;
  const std::int64_t tiles = s.batch * s.heads * num_query_tiles(s);
  const std::int64_t work = attention_tile * (s.keys + 1) * (s.dim + s.value_dim);
  parallel_for(tiles, std::max<std::int64_t>(1, task_work / work),
               [&](std::int64_t begin, std::int64_t end) { forward_query_tiles(f, begin, end); });
}

// to[d] = x[d] + x[d + step] + ..., parts of them, in that order.
template <class T>
void add_parts(const T* x, std::int64_t step, std::int64_t parts, std::int64_t features, T* to) {
  std::copy_n(x, features, to);
  for (std::int64_t part = 1; part < parts; ++part) {
    for (std::int64_t d = 0; d < features; ++d) to[d] += x[part * step + d];
  }
}

// Writes gradients of keys [begin, end) of a head from the sums of its parts, which lie one after the other at memory.
template <class T>
void write_key_gradients(const SoftmaxBackward<T>& f, std::int64_t head, std::int64_t begin, std::int64_t end,
                         T* memory, std::int64_t parts) {
  using Gradients = KeyGradients<T>;
  const AttentionSizes& s = f.sizes;
  const std::int64_t b = head / s.heads, h = head % s.heads, size = Gradients::size(s);
  const Gradients sums(s, memory);
  for (std::int64_t j = begin; j < end; ++j) {
    add_parts(sums.dk + j * Gradients::padded(s.dim), size, parts, s.dim, f.dk.at(b, h, j));
    add_parts(sums.dv + j * Gradients::padded(s.value_dim), size, parts, s.value_dim, f.dv.at(b, h, j));
  }
}

// Many heads: each is a task's.
template <class T>
void backward_heads(const SoftmaxBackward<T>& f) {
  const AttentionSizes& s = f.sizes;
  const std::int64_t size = KeyGradients<T>::size(s), work = (s.queries + 1) * (s.keys + 1) * (s.dim + s.value_dim);
  parallel_for(s.batch * s.heads, std::max<std::int64_t>(1, task_work / work),
               [&](std::int64_t begin, std::int64_t end) {
                 const Scratch<T> sums(size);
                 for (std::int64_t head = begin; head < end; ++head) {
                   std::fill_n(sums.data(), size, T{0});
                   backward_query_tiles(f, head, 0, 1, KeyGradients<T>(s, sums.data()));
                   write_key_gradients(f, head, 0, s.keys, sums.data(), 1);
                 }
               });
}

// Few heads: each is dealt out to `parts` tasks, tile by tile so that causal parts weigh the same.
template <class T>
void backward_parts(const SoftmaxBackward<T>& f, std::int64_t parts) {
  const AttentionSizes& s = f.sizes;
  const std::int64_t heads = s.batch * s.heads, size = KeyGradients<T>::size(s);
  const Scratch<T> sums(heads * parts * size);
  parallel_for(heads * parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      T* own = sums.data() + task * size;
      std::fill_n(own, size, T{0});
      backward_query_tiles(f, task / parts, task % parts, parts, KeyGradients<T>(s, own));
    }
  });
  const std::int64_t chunk = 64, chunks = num_chunks(s.keys, chunk);
  parallel_for(heads * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i / chunks, key = i % chunks * chunk;
      write_key_gradients(f, head, key, std::min(s.keys, key + chunk), sums.data() + head * parts * size, parts);
    }
  });
}

template <class T>
void backward(const SoftmaxBackward<T>& f) {
  const std::int64_t heads = f.sizes.batch * f.sizes.heads;
  if (heads == 0) return;
  const std::int64_t parts = std::min(num_query_tiles(f.sizes), num_chunks(wanted_tasks, heads));
  parts > 1 ? backward_parts(f, parts) : backward_heads(f);
}

}  // namespace

void softmax_attention(const AttentionSizes& sizes, const AttentionMask& mask, double scale, Heads<const float> q,
                       Heads<const float> k, Heads<const float> v, Heads<float> out, float* lse) {
  forward(SoftmaxForward<float>{sizes, mask, scale, q, k, v, out, lse});
}

void softmax_attention(const AttentionSizes& sizes, const AttentionMask& mask, double scale, Heads<const double> q,
                       Heads<const double> k, Heads<const double> v, Heads<double> out, double* lse) {
  forward(SoftmaxForward<double>{sizes, mask, scale, q, k, v, out, lse});
}

void softmax_attention_backward(const AttentionSizes& sizes, const AttentionMask& mask, double scale,
                                Heads<const float> q, Heads<const float> k, Heads<const float> v,
                                Heads<const float> out, const float* lse, Heads<const float> dout, Heads<float> dq,
                                Heads<float> dk, Heads<float> dv) {
  backward(SoftmaxBackward<float>{sizes, mask, scale, q, k, v, out, lse, dout, dq, dk, dv});
}

void softmax_attention_backward(const AttentionSizes& sizes, const AttentionMask& mask, double scale,
                                Heads<const double> q, Heads<const double> k, Heads<const double> v,
                                Heads<const double> out, const double* lse, Heads<const double> dout, Heads<double> dq,
                                Heads<double> dk, Heads<double> dv) {
  backward(SoftmaxBackward<double>{sizes, mask, scale, q, k, v, out, lse, dout, dq, dk, dv});
}

}  // namespace ff::cpu
