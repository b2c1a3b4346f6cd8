#pragma once

#include <optional>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// Indices are i64 or i32. One outside [0, size) throws Error, also a negative one.

/// Entries index (1-D) of x along dim.
Tensor index_select(const Tensor& x, int dim, const Tensor& index, Where site = {});
/// y[.., j, ..] = x[.., index[.., j, ..], ..] along dim, of index's shape, which beside dim may be smaller than x's.
Tensor gather(const Tensor& x, int dim, const Tensor& index, Where site = {});
/// gather() with x and index broadcast against each other beside dim; without dim, of x as one row, index 1-D.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<int> dim = {}, Where site = {});
/// Entries of x counted row-major, of index's shape.
Tensor take(const Tensor& x, const Tensor& index, Where site = {});
/// Rows of weight (V, D) by index of any shape S: (S, D). Row padding_idx (counted from the end where negative) gets no
/// gradient.
Tensor embedding(const Tensor& index, const Tensor& weight, std::optional<std::int64_t> padding_idx = {},
                 Where site = {});
/// index of shape S to (S, classes) of zeros and ones, i64. classes -1: the largest index and one.
Tensor one_hot(const Tensor& index, std::int64_t classes = -1, Where site = {});

/// Zeros of size `size` along dim, to which entry j of x along dim is added at index[j], in the order of j. The adjoint
/// of index_select.
Tensor index_sum(const Tensor& x, int dim, const Tensor& index, std::int64_t size, Where site = {});

}  // namespace ff
