#include "ff/nn/activation.h"

#include "ff/autograd/ops/ops.h"

namespace ff::nn {

Tensor activate(Activation activation, const Tensor& x) { return activation == Activation::gelu ? gelu(x) : relu(x); }

Tensor GELU::forward(const Tensor& x) { return gelu(x); }

Tensor ReLU::forward(const Tensor& x) { return relu(x); }

}  // namespace ff::nn
