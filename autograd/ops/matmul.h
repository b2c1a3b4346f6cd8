#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Matrix product over the last two dimensions, the others broadcast as batches; 1-D arguments are a row on the left, a
/// column on the right. Floating dtypes.
Tensor matmul(const Tensor& a, const Tensor& b, Where site = {});
/// x weight^T + bias: x (.., I), weight (O, I), bias (O) or undefined; (.., O).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Where site = {});

}  // namespace ff
