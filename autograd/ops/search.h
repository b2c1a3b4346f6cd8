#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Where x is not 0: the indices of n entries, row-major, as (n, rank), i64.
Tensor nonzero(const Tensor& x, Where site = {});
/// The entries of x where mask (boolean) is true, row-major, in one dimension; the two broadcast.
Tensor masked_select(const Tensor& x, const Tensor& mask, Where site = {});
/// For each value, how many entries of its ascending row of `sorted` are less than it (with right: not greater), which
/// is where it would be inserted; i64. sorted is one row for all values (n,), or (.., n) for values (.., k). NaN comes
/// last. sorted is not checked to be so.
Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false, Where site = {});
/// searchsorted(boundaries, x): the number of the bucket each entry falls in. boundaries of one dimension.
Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool right = false, Where site = {});

}  // namespace ff
