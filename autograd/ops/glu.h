#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// a sigmoid(b), a and b the halves of x along dim, whose size must be even (Dauphin et al. 2017). Floating.
Tensor glu(const Tensor& x, int dim = -1, Where site = {});

}  // namespace ff
