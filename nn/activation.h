#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

enum class Activation { gelu, relu };

/// The activation's function of x.
Tensor activate(Activation activation, const Tensor& x);

/// See ff::gelu.
class GELU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

/// See ff::relu.
class ReLU : public Module {
 public:
  Tensor forward(const Tensor& x) override;
};

}  // namespace ff::nn
