#pragma once

#include "ff/core/named_tensors.h"

namespace ff::nn {

/// Scales the gradients of parameters so that their joint L2 norm is at most max_norm, as PyTorch does: by
/// max_norm / (norm + 1e-6), where that is below 1. Returns the norm there was. A norm that is not finite leaves the
/// gradients as they are: look at what is returned. max_norm must be positive; it may be infinite, to have the norm
/// alone.
double clip_grad_norm(const NamedTensors& parameters, double max_norm);

}  // namespace ff::nn
