#include "ff/nn/mlp.h"

namespace ff::nn {

Mlp::Mlp(std::int64_t width, std::int64_t hidden, const MlpOptions& options)
    : fc1(width, hidden, {.bias = options.bias}),
      fc2(hidden, width, {.bias = options.bias}),
      drop1(options.drop),
      drop2(options.drop),
      activation_(options.activation) {
  add("fc1", fc1);
  add("drop1", drop1);
  add("fc2", fc2);
  add("drop2", drop2);
}

Tensor Mlp::forward(const Tensor& x) { return drop2(fc2(drop1(activate(activation_, fc1(x))))); }

}  // namespace ff::nn
