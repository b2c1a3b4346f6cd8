#include "ff/nn/norm.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {

LayerNorm::LayerNorm(std::int64_t width, const LayerNormOptions& options) : LayerNorm(Shape{width}, options) {}

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& options) : shape_(shape), eps_(options.eps) {
  check(shape.rank() >= 1, "LayerNorm", "at least one dimension is normalised; the shape is {}", shape.str());
  check(eps_ >= 0, "LayerNorm", "eps is {}", eps_);
  if (!options.affine) return;
  weight = Tensor::empty(shape);
  bias = Tensor::empty(shape);
  init::ones_(weight);
  init::zeros_(bias);
  add_parameter("weight", weight);
  add_parameter("bias", bias);
}

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, shape_, weight, bias, eps_); }

}  // namespace ff::nn
