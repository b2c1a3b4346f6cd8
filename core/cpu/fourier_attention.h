#pragma once

#include "ff/core/cpu/attention.h"

namespace ff::cpu {

/// The kernel's own settings: |sinc|^power, real and at least 1; epsilon added to the sum of the kernel (0: none).
struct FourierKernel {
  double power = 4;
  double epsilon = 0;
};

/// What the backward pass takes from the forward pass: two numbers a row of queries, both (B, H, N) dense, a reference
/// close to the largest log K (in float32 a power of two, no logarithm) and the sum of the weights relative to it; and,
/// in float32 and where not null, those weights, kept_weights() numbers in a layout of the kernel's own. Without them
/// the backward pass computes the kernel again.
template <class T>
struct FourierRows {
  T *max, *sum, *weights = nullptr;
};

/// Weights of up to this many bytes are kept: of 16 layers, half a gigabyte.
inline constexpr std::int64_t kept_bytes = std::int64_t{1} << 25;

/// How many weights the forward pass should keep, by the sizes alone: all, where they take at most kept_bytes or no
/// more than q, k, v and out together, which are kept anyway; else 0, as beyond 256 keys, where the weights of a row
/// are not known at a time. Keeping them saves a fifth to a third of the two passes.
std::int64_t kept_weights(const AttentionSizes&);

/// o_i = sum_j w_ij v_j, w_ij = K_ij / (sum_j K_ij + epsilon) over the keys that query i sees, dropped out as mask
/// says; K_ij = prod_d |sinc(R_d (q_id - k_jd))|^power, sinc(x) = sin(x) / x. r is (H, D), dense. Computed as a softmax
/// of log K, so that the weights sum to 1 however small K is. A query that sees no key, or only keys at a zero of the
/// kernel, gives 0. Memory O(N + M) beside the arguments. Float32 results are within 2e-6 of the largest |v| of the
/// exact ones, however large x is (up to |R q| = 2^28, where q is clamped), and gradients within 2e-5 of their largest
/// entry; float64 ones are computed row by row for their digits, not for speed. A feature that is not finite makes the
/// rows that see it NaN.
void fourier_attention(const AttentionSizes&, const AttentionMask&, const FourierKernel&, Heads<const float> q,
                       Heads<const float> k, Heads<const float> v, const float* r, Heads<float> out,
                       const FourierRows<float>&);
void fourier_attention(const AttentionSizes&, const AttentionMask&, const FourierKernel&, Heads<const double> q,
                       Heads<const double> k, Heads<const double> v, const double* r, Heads<double> out,
                       const FourierRows<double>&);

/// Gradients of the above, written to dq, dk, dv and dr (H, D), given the results of the forward pass and the gradient
/// dout of out. With dS_ij = w_ij (dout_i . v_j - dout_i . o_i) and c(x) = cot(x) - 1/x:
///   dq_id = power R_d sum_j dS_ij c(x_ijd)     dk_jd = -power R_d sum_i dS_ij c(x_ijd)
///   dr_hd = power sum_bij dS_ij (q_id - k_jd) c(x_ijd)     dv_j = sum_i w_ij dout_i
void fourier_attention_backward(const AttentionSizes&, const AttentionMask&, const FourierKernel&, Heads<const float> q,
                                Heads<const float> k, Heads<const float> v, const float* r, Heads<const float> out,
                                const FourierRows<const float>&, Heads<const float> dout, Heads<float> dq,
                                Heads<float> dk, Heads<float> dv, float* dr);
void fourier_attention_backward(const AttentionSizes&, const AttentionMask&, const FourierKernel&,
                                Heads<const double> q, Heads<const double> k, Heads<const double> v, const double* r,
                                Heads<const double> out, const FourierRows<const double>&, Heads<const double> dout,
                                Heads<double> dq, Heads<double> dk, Heads<double> dv, double* dr);

}  // namespace ff::cpu
