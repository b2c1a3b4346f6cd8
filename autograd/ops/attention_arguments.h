#pragma once

#include <optional>

#include "ff/core/cpu/attention.h"
#include "ff/core/random.h"
#include "ff/core/tensor.h"

/// What the two attentions share: their arguments checked and handed to the kernels.
namespace ff::attention {

/// Sizes of q (B, H, N, D), k (B, G, M, D) and v (B, G, M, E), G dividing H. Throws Error("[op] ...") where they do not
/// go together.
cpu::AttentionSizes sizes(const char* op, const Tensor& q, const Tensor& k, const Tensor& v);

/// Throws Error("[op] ...") unless mask (where defined) is boolean and broadcasts to (B, H, N, M), and 0 <= dropout
/// < 1.
void check_options(const char* op, const cpu::AttentionSizes& sizes, const Tensor& mask, double dropout);

/// The stretch of random numbers that decides on dropout: the one given, or the next of default_generator(); none is
/// drawn without dropout.
RandomKey random_key(const cpu::AttentionSizes& sizes, double dropout, const std::optional<RandomKey>& given);

/// The kernels' form of causal, mask and dropout. Refers to mask's memory.
cpu::AttentionMask kernel_mask(const cpu::AttentionSizes& sizes, bool causal, const Tensor& mask, double dropout,
                               RandomKey random);

/// A (B, H, rows, features) tensor whose features lie next to each other: itself, or a copy.
Tensor with_dense_rows(const Tensor& x);

/// The kernels' form of such a tensor, each of whose heads stands for `shared` heads of queries.
template <class T>
cpu::Heads<T> heads(const Tensor& x, std::int64_t shared = 1) {
  return {static_cast<T*>(x.raw()), x.strides()[0], x.strides()[1], x.strides()[2], shared};
}

/// Whether the kernels of decoding are to be taken: few float32 queries, no dropout, and nobody who wants what a
/// backward pass needs.
bool decodes(bool recording, const cpu::AttentionSizes& sizes, DType dtype, double dropout);

/// How many heads of queries share one of k.
std::int64_t shared_by(const cpu::AttentionSizes& sizes, const Tensor& k);

/// k or v (B, G, M, D) with each head repeated for those that share it, (B, H, M, D): itself where none do.
Tensor repeat_shared(const Tensor& x, std::int64_t heads);

/// The adjoint: a gradient (B, H, M, D) summed over those that share a head of k. Unknown to autograd.
Tensor sum_shared(const Tensor& dx, std::int64_t shared);

/// An unset (B, H, rows, features) tensor that lies in memory as (B, rows, H, features), so that joining the heads of a
/// position copies nothing.
Tensor empty_heads(std::int64_t batch, std::int64_t heads, std::int64_t rows, std::int64_t features, DType dtype);

/// scores (B, H, N, M), -inf where a key is not seen.
Tensor mask_scores(const Tensor& scores, bool causal, const Tensor& mask);

}  // namespace ff::attention
