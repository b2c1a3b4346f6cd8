#pragma once

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Over dims, all where empty; a reduced dimension goes, or stays as 1 with keepdim. Integers are summed as i64.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// x summed over the dimensions along which a tensor of shape was broadcast: the adjoint of broadcast_to.
Tensor sum_to(const Tensor& x, const Shape& shape, Where site = {});
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// Variance with the divisor n - correction.
Tensor var(const Tensor& x, const Dims& dims = {}, std::int64_t correction = 1, bool keepdim = false, Where site = {});
/// Largest (smallest) entries; the gradient is shared evenly between equals. Throws Error over an empty extent.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// Index of the largest (smallest) entry along dim, the first of equals; i64.
Tensor argmax(const Tensor& x, int dim, bool keepdim = false, Where site = {});
Tensor argmin(const Tensor& x, int dim, bool keepdim = false, Where site = {});
/// Of booleans.
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false, Where site = {});
/// log sum exp x, without overflow.
Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim = false, Where site = {});

}  // namespace ff
