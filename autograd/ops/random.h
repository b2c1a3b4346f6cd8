#pragma once

#include "ff/autograd/ops/creation.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// Random tensors, from default_generator(): each call takes one stretch of its numbers, whose length depends on shapes
// alone. None of them is differentiable.

/// Uniform in [0, 1).
Tensor rand(const Shape& shape, const TensorOptions& options = {}, Where site = {});
/// Standard normal.
Tensor randn(const Shape& shape, const TensorOptions& options = {}, Where site = {});
/// rand() and randn() of x's shape and dtype.
Tensor rand_like(const Tensor& x, Where site = {});
Tensor randn_like(const Tensor& x, Where site = {});
/// Normal with that mean and standard deviation, at least 0.
Tensor normal(double mean, double std, const Shape& shape, const TensorOptions& options = {}, Where site = {});
/// Uniform integers in [low, high); i64 unless another integer dtype is asked for. A remainder of 64 random bits: the
/// numbers are not quite equally likely, by (high - low) / 2^64.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = i64, Where site = {});
/// A random permutation of 0 .. n-1, i64.
Tensor randperm(std::int64_t n, Where site = {});
/// 1 with the probability p has there, else 0: of p's shape and dtype. Throws Error unless p is floating and in [0, 1].
Tensor bernoulli(const Tensor& p, Where site = {});
Tensor bernoulli(const Shape& shape, double p, const TensorOptions& options = {}, Where site = {});
/// `count` indices from each row of weights, (n,) or (m, n), each as likely as its weight is of the row's sum: (count,)
/// or (m, count), i64. Without replacement, each only once, in the order they were drawn. Throws Error unless weights
/// are floating, finite and not negative, and there are enough that are not 0: one, or count.
Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement = false, Where site = {});

}  // namespace ff
