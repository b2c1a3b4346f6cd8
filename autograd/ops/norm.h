#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Over the last shape.rank() dimensions, which must be `shape`: (x - mean) / sqrt(var + eps) * weight + bias, the
/// variance biased (Ba, Kiros, Hinton 2016). weight and bias of that shape, or undefined.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5, Where site = {});

}  // namespace ff
