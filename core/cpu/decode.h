#pragma once

#include "ff/core/cpu/fourier_attention.h"

namespace ff::cpu {

/// How many queries the kernels below are made for, at most: a step of decoding, one new query against a cache of keys
/// and values, or a few. They take any number.
inline constexpr std::int64_t decode_queries = 8;

/// What fourier_attention computes, to the same accuracy, for few queries: nothing is packed. Dropout is not offered.
/// Keys are cut into ranges, worked off on all threads, and the results of the ranges put together in their order.
void fourier_decode(const AttentionSizes&, const AttentionMask&, const FourierKernel&, Heads<const float> q,
                    Heads<const float> k, Heads<const float> v, const float* r, Heads<float> out);

/// What softmax_attention computes, likewise.
void softmax_decode(const AttentionSizes&, const AttentionMask&, double scale, Heads<const float> q,
                    Heads<const float> k, Heads<const float> v, Heads<float> out);

}  // namespace ff::cpu
