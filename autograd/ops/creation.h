#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

struct TensorOptions {
  DType dtype = f32;
  bool requires_grad = false;
};

/// Elements that are not set, 0, 1, or value. A number outside an integer dtype's range becomes the nearest that is in
/// it, here and below.
Tensor empty(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {}, Where site = {});
Tensor full(const Shape& shape, double value, const TensorOptions& options = {}, Where site = {});
/// Of x's shape and dtype.
Tensor empty_like(const Tensor& x, Where site = {});
Tensor zeros_like(const Tensor& x, Where site = {});
Tensor ones_like(const Tensor& x, Where site = {});
Tensor full_like(const Tensor& x, double value, Where site = {});
/// begin, begin + step, ... below end (above, for a negative step); 1-D.
Tensor arange(double begin, double end, double step = 1, const TensorOptions& options = {}, Where site = {});
/// count evenly spaced values from begin to end inclusive; 1-D.
Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options = {}, Where site = {});
/// base to the power of linspace(begin, end, count).
Tensor logspace(double begin, double end, std::int64_t count, double base = 10, const TensorOptions& options = {},
                Where site = {});
/// Identity matrix (n, n).
Tensor eye(std::int64_t n, const TensorOptions& options = {}, Where site = {});

}  // namespace ff
