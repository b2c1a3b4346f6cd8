#pragma once

#include <optional>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Over the last shape.rank() dimensions, which must be `shape`: (x - mean) / sqrt(var + eps) * weight + bias, the
/// variance biased (Ba, Kiros, Hinton 2016). weight and bias of that shape, or undefined.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5, Where site = {});

/// A sum, and the layer norm of it.
struct SumAndNorm {
  Tensor sum, norm;
};

/// x + residual, two tensors of one shape and dtype, and layer_norm() of that: both in one pass over memory, and so is
/// the backward pass.
SumAndNorm add_layer_norm(const Tensor& x, const Tensor& residual, const Shape& shape, const Tensor& weight = {},
                          const Tensor& bias = {}, double eps = 1e-5, Where site = {});

/// Over the last shape.rank() dimensions, which must be `shape`: x / sqrt(mean(x^2) + eps) * weight (Zhang, Sennrich
/// 2019). weight of that shape, or undefined; eps by default the dtype's machine epsilon.
Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, std::optional<double> eps = {},
                Where site = {});

// Of x (B, C, ..), with weight and bias (C) or undefined, the variance biased.

/// Normalised over each of `groups` groups of neighbouring channels of each image (Wu, He 2018).
Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5, Where site = {});
/// Normalised over each channel of each image, which must be of at least two entries (Ulyanov, Vedaldi, Lempitsky
/// 2016).
Tensor instance_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5,
                     Where site = {});
/// Normalised over each channel of all images (Ioffe, Szegedy 2015). In training by the mean and variance of x, which
/// must hold at least two entries a channel, and the running ones (C), where defined, become (1 - momentum) times
/// themselves plus momentum times the mean and the unbiased variance, in place; else by the running ones. x may be
/// (B, C).
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight = {},
                  const Tensor& bias = {}, bool training = false, double momentum = 0.1, double eps = 1e-5,
                  Where site = {});

/// x / max(||x||_p, eps), the norm along dim: p > 0, or infinity.
Tensor normalize(const Tensor& x, double p = 2, int dim = 1, double eps = 1e-12, Where site = {});

}  // namespace ff
