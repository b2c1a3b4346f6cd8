#pragma once

#include "ff/core/cpu/attention.h"

namespace ff::cpu {

/// o_i = sum_j w_ij v_j, w_i = softmax_j(scale q_i . k_j) over the keys that query i sees, dropped out as mask says. A
/// query that sees none gives 0. lse, (B, H, N) dense, receives log sum_j exp(scale q_i . k_j) (-inf where none is
/// seen), what the backward pass needs. Memory O(N + M) beside the arguments: tiled over queries and keys, with an
/// online softmax.
void softmax_attention(const AttentionSizes&, const AttentionMask&, double scale, Heads<const float> q,
                       Heads<const float> k, Heads<const float> v, Heads<float> out, float* lse);
void softmax_attention(const AttentionSizes&, const AttentionMask&, double scale, Heads<const double> q,
                       Heads<const double> k, Heads<const double> v, Heads<double> out, double* lse);

/// Gradients of the above, written to dq, dk, dv, given out and lse of the forward pass and the gradient dout of out.
void softmax_attention_backward(const AttentionSizes&, const AttentionMask&, double scale, Heads<const float> q,
                                Heads<const float> k, Heads<const float> v, Heads<const float> out, const float* lse,
                                Heads<const float> dout, Heads<float> dq, Heads<float> dk, Heads<float> dv);
void softmax_attention_backward(const AttentionSizes&, const AttentionMask&, double scale, Heads<const double> q,
                                Heads<const double> k, Heads<const double> v, Heads<const double> out,
                                const double* lse, Heads<const double> dout, Heads<double> dq, Heads<double> dk,
                                Heads<double> dv);

}  // namespace ff::cpu
