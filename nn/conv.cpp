#include "ff/nn/conv.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {
namespace {

void check_sizes(const char* name, std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel,
                 std::int64_t groups) {
  check(in >= 1 && out >= 1 && kernel[0] >= 1 && kernel[1] >= 1, name,
        "channels {} to {}, kernel {} x {}; at least one of each is needed", in, out, kernel[0], kernel[1]);
  check(groups >= 1 && in % groups == 0 && out % groups == 0, name, "{} groups do not divide channels {} to {}", groups,
        in, out);
}

// Makes, registers and starts both; bias (out) only where asked for.
void add_weights(Module& module, Tensor& weight, const Shape& shape, Tensor& bias, std::int64_t out, bool biased) {
  weight = Tensor::empty(shape);
  const double bound = 1 / std::sqrt(static_cast<double>(init::fan_in(weight)));
  init::uniform_(weight, -bound, bound);
  module.add_parameter("weight", weight);
  if (!biased) return;
  bias = Tensor::empty({out});
  init::uniform_(bias, -bound, bound);
  module.add_parameter("bias", bias);
}

}  // namespace

Conv1d::Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv1dOptions& options)
    : options_(options) {
  check_sizes("Conv1d", in, out, {1, kernel}, options.groups);
  add_weights(*this, weight, {out, in / options.groups, kernel}, bias, out, options.bias);
}

Tensor Conv1d::forward(const Tensor& x) {
  return conv1d(x, weight, bias,
                {.stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

Conv2d::Conv2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel, const Conv2dOptions& options)
    : options_(options) {
  check_sizes("Conv2d", in, out, kernel, options.groups);
  add_weights(*this, weight, {out, in / options.groups, kernel[0], kernel[1]}, bias, out, options.bias);
}

Tensor Conv2d::forward(const Tensor& x) {
  return conv2d(x, weight, bias,
                {.stride = options_.stride,
                 .padding = options_.padding,
                 .dilation = options_.dilation,
                 .groups = options_.groups});
}

ConvTranspose1d::ConvTranspose1d(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                 const ConvTranspose1dOptions& options)
    : options_(options) {
  check_sizes("ConvTranspose1d", in, out, {1, kernel}, options.groups);
  add_weights(*this, weight, {in, out / options.groups, kernel}, bias, out, options.bias);
}

Tensor ConvTranspose1d::forward(const Tensor& x) {
  return conv_transpose1d(x, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .groups = options_.groups,
                           .dilation = options_.dilation});
}

ConvTranspose2d::ConvTranspose2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel,
                                 const ConvTranspose2dOptions& options)
    : options_(options) {
  check_sizes("ConvTranspose2d", in, out, kernel, options.groups);
  add_weights(*this, weight, {in, out / options.groups, kernel[0], kernel[1]}, bias, out, options.bias);
}

Tensor ConvTranspose2d::forward(const Tensor& x) {
  return conv_transpose2d(x, weight, bias,
                          {.stride = options_.stride,
                           .padding = options_.padding,
                           .output_padding = options_.output_padding,
                           .groups = options_.groups,
                           .dilation = options_.dilation});
}

}  // namespace ff::nn
