#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Matrix product over the last two dimensions, the others broadcast as batches; 1-D arguments are a row on the left, a
/// column on the right. Two tensors of one dtype, any but boolean; integers wrap around.
Tensor matmul(const Tensor& a, const Tensor& b, Where site = {});
/// Products of a batch of matrices: a (B, M, K), b (B, K, N); (B, M, N). matmul() is the more general.
Tensor bmm(const Tensor& a, const Tensor& b, Where site = {});
/// sum_i a_i b_i of two vectors of one size.
Tensor dot(const Tensor& a, const Tensor& b, Where site = {});
/// a_i b_j of two vectors: (M, N), promoted.
Tensor outer(const Tensor& a, const Tensor& b, Where site = {});
/// beta bias + alpha a b: a (M, K), b (K, N), bias broadcast to (M, N), floating tensors of one dtype. With beta = 0
/// the bias is not read: a NaN in it does no harm.
Tensor addmm(const Tensor& bias, const Tensor& a, const Tensor& b, double beta = 1, double alpha = 1, Where site = {});
/// x weight^T + bias: x (.., I), weight (O, I), bias (O) or undefined; (.., O).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, Where site = {});

}  // namespace ff
