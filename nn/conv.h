#pragma once

#include <array>

#include "ff/nn/module.h"

namespace ff::nn {

struct Conv2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};  ///< down, across
  bool bias = true;
};

/// Cross-correlation of x (B, in, H, W) with weight (out, in, h, w), plus bias (out): see ff::conv2d. Both start
/// uniform in
/// +-1 / sqrt(in h w), as PyTorch's.
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel, const Conv2dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without

 private:
  Conv2dOptions options_;
};

}  // namespace ff::nn
