#include "ff/nn/conv.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {

Conv2d::Conv2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel, const Conv2dOptions& options)
    : options_(options) {
  check(in >= 1 && out >= 1 && kernel[0] >= 1 && kernel[1] >= 1, "Conv2d",
        "channels {} to {}, kernel {} x {}; at least one of each is needed", in, out, kernel[0], kernel[1]);
  weight = Tensor::empty({out, in, kernel[0], kernel[1]});
  const double bound = 1 / std::sqrt(static_cast<double>(init::fan_in(weight)));
  init::uniform_(weight, -bound, bound);
  add_parameter("weight", weight);
  if (!options.bias) return;
  bias = Tensor::empty({out});
  init::uniform_(bias, -bound, bound);
  add_parameter("bias", bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  return conv2d(x, weight, bias,
                {.stride = options_.stride, .padding = options_.padding, .dilation = options_.dilation});
}

}  // namespace ff::nn
