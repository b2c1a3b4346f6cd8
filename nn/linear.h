#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

struct LinearOptions {
  bool bias = true;
};

/// y = x weight^T + bias: x (.., in) to (.., out). weight (out, in) and bias (out) start uniform in +-1 / sqrt(in), as
/// PyTorch's.
class Linear : public Module {
 public:
  Linear(std::int64_t in, std::int64_t out, const LinearOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without
};

}  // namespace ff::nn
