#pragma once

#include <optional>

#include "ff/core/call_site.h"
#include "ff/core/random.h"
#include "ff/core/tensor.h"

namespace ff {

struct SoftmaxAttentionOptions {
  bool causal = false;                ///< query i of N sees key j of M only where j <= i + M - N
  Tensor mask{};                      ///< boolean, broadcasts to (B, H, N, M): true where a query may see a key
  double dropout = 0;                 ///< probability that a weight is dropped, the others scaled to keep the mean
  std::optional<RandomKey> random{};  ///< what decides; default: the next stretch of default_generator()
  std::optional<double> scale{};      ///< default 1 / sqrt(D)
};
/// Weights softmax_j(scale q_i . k_j) of values: q (B, H, N, D), k (B, H, M, D), v (B, H, M, E) to (B, H, N, E). A
/// query that sees no key gives 0. Never holds an N x M array. Up to 8 queries in float32 that no gradient is recorded
/// of, as in decoding token by token, are served by kernels of their own (so are fourier_attention's). k and v may have
/// fewer heads, G dividing H: each is then shared, uncopied, by H / G neighbouring heads of q (Ainslie et al. 2023;
/// PyTorch's enable_gqa).
Tensor softmax_attention(const Tensor& q, const Tensor& k, const Tensor& v, const SoftmaxAttentionOptions& options = {},
                         Where site = {});

struct FourierAttentionOptions {
  double power = 4;     ///< p >= 1
  double epsilon = 0;   ///< weights K / (sum K + epsilon); 1e-6 reproduces the published models
  bool causal = false;  ///< these four as in SoftmaxAttentionOptions
  Tensor mask{};
  double dropout = 0;
  std::optional<RandomKey> random{};
};
/// Generalised Fourier integral attention (Nguyen et al. 2022): o_i = sum_j w_ij v_j, w_ij = K_ij / sum_j K_ij,
/// K_ij = prod_d |sinc(R_d (q_id - k_jd))|^p, sinc(x) = sin(x) / x. Shapes as softmax_attention; R, the radius, is a
/// scalar, (D) or (H, D), learnable. Computed on log K: the weights sum to 1 however small K is. A query that sees no
/// key, or only zeros of K, gives 0. Holds N x M weights for backward where they are few
/// (cpu::kept_weights: up to 256 keys, and 32 MiB or less than q, k, v and the result), else no such array.
Tensor fourier_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                         const FourierAttentionOptions& options = {}, Where site = {});

/// The same two as compositions of plain differentiable ops, for reading and for checking the fused kernels against;
/// they hold N x M (and N x M x D) arrays.
Tensor softmax_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v,
                                  const SoftmaxAttentionOptions& options = {}, Where site = {});
Tensor fourier_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                                  const FourierAttentionOptions& options = {}, Where site = {});
/// The weights w (B, H, N, M) of fourier_attention, before dropout.
Tensor fourier_attention_weights(const Tensor& q, const Tensor& k, const Tensor& R,
                                 const FourierAttentionOptions& options = {}, Where site = {});

}  // namespace ff
