#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// Entries, and where along a dimension they stood (i64).
struct ValuesAndIndices {
  Tensor values, indices;
};

/// The entries along dim in ascending (descending) order. Equal ones keep their order, whichever is asked for; NaN is
/// larger than any number, as in PyTorch. Any dtype; a zero-dimensional tensor is itself, its index 0. Gradients go
/// back to where the values stood.
ValuesAndIndices sort(const Tensor& x, int dim = -1, bool descending = false, Where site = {});
/// The indices of sort().
Tensor argsort(const Tensor& x, int dim = -1, bool descending = false, Where site = {});
/// The k largest (smallest) entries along dim, in descending (ascending) order: the first k of sort(). Throws Error
/// unless 0 <= k <= the size of dim.
ValuesAndIndices topk(const Tensor& x, std::int64_t k, int dim = -1, bool largest = true, Where site = {});

}  // namespace ff
