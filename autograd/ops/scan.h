#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// y_j = x_0 + .. + x_j along dim. Integers and booleans are summed as i64, which wraps around; floats in double. A
/// zero-dimensional tensor is itself.
Tensor cumsum(const Tensor& x, int dim, Where site = {});
/// y_j = x_0 .. x_j, multiplied, likewise. The gradient is right where entries are 0: nothing is divided by them.
Tensor cumprod(const Tensor& x, int dim, Where site = {});

}  // namespace ff
