#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Entries index (1-D, i64 or i32) of x along dim. Throws Error where an index is out of range.
Tensor index_select(const Tensor& x, int dim, const Tensor& index, Where site = {});
/// y[.., j, ..] = x[.., index[.., j, ..], ..] along dim; index has x's shape but along dim.
Tensor gather(const Tensor& x, int dim, const Tensor& index, Where site = {});
/// Zeros of size `size` along dim, to which x[.., j, ..] is added at index[.., j, ..] (index of x's shape). The adjoint
/// of gather.
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site = {});
/// Zeros of size `size` along dim, to which entry j of x along dim is added at index[j]. The adjoint of index_select.
Tensor index_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site = {});
/// Rows of weight (V, D) by index of any shape S: (S, D).
Tensor embedding(const Tensor& index, const Tensor& weight, Where site = {});
/// index (i64) of shape S to (S, classes) of zeros and ones, i64.
Tensor one_hot(const Tensor& index, std::int64_t classes, Where site = {});

}  // namespace ff
