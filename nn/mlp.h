#pragma once

#include "ff/nn/activation.h"
#include "ff/nn/dropout.h"
#include "ff/nn/linear.h"
#include "ff/nn/module.h"

namespace ff::nn {

struct MlpOptions {
  Activation activation = Activation::gelu;
  double drop = 0;  ///< dropout after the activation and after fc2
  bool bias = true;
};

/// The feed-forward part of a transformer block: fc2(activation(fc1(x))), (.., width) to (.., hidden) and back.
class Mlp : public Module {
 public:
  Mlp(std::int64_t width, std::int64_t hidden, const MlpOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Linear fc1, fc2;
  Dropout drop1, drop2;

 private:
  Activation activation_;
};

}  // namespace ff::nn
