#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// exp(x) / sum exp(x) along dim. A row of all -inf gives 0.
Tensor softmax(const Tensor& x, int dim, Where site = {});
/// log softmax(x), without underflow.
Tensor log_softmax(const Tensor& x, int dim, Where site = {});

}  // namespace ff
