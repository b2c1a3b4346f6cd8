#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// x with entries changed at an index (i64 or i32, each in [0, size of dim), else Error): new tensors; x stays as it is.
// What is put in must have x's dtype.

/// x but for y[.., index[.., j, ..], ..] = source[.., j, ..] along dim. index may be smaller than source, and beside
/// dim than x: the entries of source beyond it are not used. Where a place is named twice, the last one stays.
Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site = {});
Tensor scatter(const Tensor& x, int dim, const Tensor& index, double value, Where site = {});
/// scatter() that adds: y[.., index[.., j, ..], ..] += source[.., j, ..], in the order of j.
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site = {});
/// x with entry j of alpha source added to entry index[j] along dim, in the order of j; index 1-D.
Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source, double alpha = 1,
                 Where site = {});
/// x but for entries index[j] along dim, which are entry j of source; the last one stays. index 1-D.
Tensor index_copy(const Tensor& x, int dim, const Tensor& index, const Tensor& source, Where site = {});
/// x but for entries index along dim, which are value.
Tensor index_fill(const Tensor& x, int dim, const Tensor& index, double value, Where site = {});

}  // namespace ff
