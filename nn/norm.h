#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< learn weight and bias
};

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, which must be `shape` (Ba, Kiros, Hinton
/// 2016). weight starts at 1, bias at 0.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(std::int64_t width, const LayerNormOptions& options = {});
  explicit LayerNorm(const Shape& shape, const LayerNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight, bias;  ///< undefined if not affine

 private:
  Shape shape_;
  double eps_;
};

}  // namespace ff::nn
