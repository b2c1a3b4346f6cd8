#pragma once

#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/index.h"
#include "ff/core/tensor.h"

namespace ff {

/// What Tensor::operator() computes: x[indices], each index for the next dimension of x, whole dimensions where there
/// are none left. An integer picks an entry, and the dimension goes; a Slice keeps a part; ellipsis (once) stands for
/// all dimensions the others leave, and new_axis for a new one of size 1. These give a view (a copy where the step of a
/// slice is negative).
///
/// Tensors choose entries, into a copy: i64 or i32 indices, negative ones counted from the end, or a boolean mask of
/// the shape of the dimensions it stands for, which is as good as the indices nonzero() finds, one tensor for each
/// dimension. Several are broadcast together, and name one entry with each of their elements. The dimensions of their
/// common shape come in the place of those indexed, or first if these do not stand side by side (integers are applied
/// before and do not matter here, which is PyTorch's rule, not quite NumPy's).
///
/// Throws Error naming x's shape where there are too many indices or more than one ellipsis, an index is out of range,
/// a step is 0, or a mask's shape is not that of its dimensions.
Tensor index(const Tensor& x, const std::vector<Index>& indices, Where site = {});

}  // namespace ff
