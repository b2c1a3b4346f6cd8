#pragma once

#include "ff/core/named_tensors.h"

namespace ff::nn {

/// The joint L2 norm of the gradients of parameters, summed in double.
double grad_norm(const NamedTensors& parameters);

/// What clip_grad_norm multiplies gradients of that norm by: max_norm / (norm + 1e-6) or 1, whichever is smaller; 1
/// where norm is not finite. max_norm must be positive; it may be infinite.
double clip_factor(double norm, double max_norm);

/// Scales the gradients of parameters so that their joint L2 norm is at most max_norm, as PyTorch does: by
/// max_norm / (norm + 1e-6), where that is below 1. Returns the norm there was. A norm that is not finite leaves the
/// gradients as they are: look at what is returned. max_norm must be positive. Where an optimiser's step follows at
/// once, its step(clip_factor(grad_norm(parameters), max_norm)) saves a pass over the gradients.
double clip_grad_norm(const NamedTensors& parameters, double max_norm);

}  // namespace ff::nn
