#include "ff/nn/linear.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {

Linear::Linear(std::int64_t in, std::int64_t out, const LinearOptions& options) {
  check(in >= 1 && out >= 1, "Linear", "{} inputs and {} outputs; at least one of each is needed", in, out);
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight = Tensor::empty({out, in});
  init::uniform_(weight, -bound, bound);
  add_parameter("weight", weight);
  if (!options.bias) return;
  bias = Tensor::empty({out});
  init::uniform_(bias, -bound, bound);
  add_parameter("bias", bias);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

}  // namespace ff::nn
