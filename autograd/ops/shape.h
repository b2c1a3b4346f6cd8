#pragma once

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// One size may be -1: whatever is left. A view where the layout allows, else a copy.
Tensor reshape(const Tensor& x, const Shape& shape, Where site = {});
/// Dimensions begin to end (inclusive) made one.
Tensor flatten(const Tensor& x, int begin = 0, int end = -1, Where site = {});
/// Dimension i of the result is dims[i] of x. A view.
Tensor permute(const Tensor& x, const Dims& dims, Where site = {});
/// Two dimensions exchanged. A view.
Tensor transpose(const Tensor& x, int a, int b, Where site = {});
/// A new dimension of size 1 before dim. A view.
Tensor unsqueeze(const Tensor& x, int dim, Where site = {});
/// Dimension dim, which must be 1, dropped. A view.
Tensor squeeze(const Tensor& x, int dim, Where site = {});
/// Repeated, without a copy, to shape. A view; do not write to it.
Tensor broadcast_to(const Tensor& x, const Shape& shape, Where site = {});
/// begin, begin + step, ... below end along dim; begin and end count from the end where negative, and are clamped to
/// the size, as in Python; step >= 1. A view.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end = INT64_MAX, std::int64_t step = 1,
             Where site = {});
/// Entry index along dim, which goes. A view.
Tensor select(const Tensor& x, int dim, std::int64_t index, Where site = {});
/// Dense: itself where it is, else a copy.
Tensor contiguous(const Tensor& x, Where site = {});
/// A dense copy.
Tensor clone(const Tensor& x, Where site = {});

}  // namespace ff
