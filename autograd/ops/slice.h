#pragma once

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// begin, begin + step, ... before end along dim; begin and end count from the end where negative, and are clamped to
/// the size, as in Python. A view; with a negative step, which goes backwards (to the first entry if end is INT64_MIN),
/// a copy. Throws Error where step is 0.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end = INT64_MAX, std::int64_t step = 1,
             Where site = {});
/// Entries start to start + length along dim, start counted from the end where negative. A view. Throws Error where
/// they are not all there.
Tensor narrow(const Tensor& x, int dim, std::int64_t start, std::int64_t length, Where site = {});
/// Entry index along dim, which goes. A view.
Tensor select(const Tensor& x, int dim, std::int64_t index, Where site = {});
/// Windows of `size` entries along dim, one every `step` entries, those that fit: dimension dim becomes the number of
/// windows, and a last dimension of that size is new. (10,) by size 4 and step 3: (3, 4). A view, in which windows
/// overlap: do not write to it. As PyTorch's Tensor.unfold.
Tensor unfold(const Tensor& x, int dim, std::int64_t size, std::int64_t step, Where site = {});

}  // namespace ff
