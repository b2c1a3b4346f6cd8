#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

struct TensorOptions {
  DType dtype = f32;
  bool requires_grad = false;
};

Tensor empty(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor full(const Shape& shape, double value, const TensorOptions& options = {}, Where site = {});
Tensor zeros_like(const Tensor& x, Where site = {});
Tensor ones_like(const Tensor& x, Where site = {});
/// begin, begin + step, ... below end (above, for a negative step); 1-D.
Tensor arange(double begin, double end, double step = 1, const TensorOptions& options = {}, Where site = {});
/// count evenly spaced values from begin to end inclusive; 1-D.
Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options = {}, Where site = {});
/// Identity matrix (n, n).
Tensor eye(std::int64_t n, const TensorOptions& options = {}, Where site = {});
/// Uniform in [0, 1), from default_generator().
Tensor rand(const Shape& shape, const TensorOptions& options = {}, Where site = {});
/// Standard normal, from default_generator().
Tensor randn(const Shape& shape, const TensorOptions& options = {}, Where site = {});
/// Uniform integers in [low, high); i64 unless another integer dtype is asked for.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = i64, Where site = {});
/// A random permutation of 0 .. n-1, i64.
Tensor randperm(std::int64_t n, Where site = {});

}  // namespace ff
