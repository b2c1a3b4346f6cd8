#include "ff/nn/dropout.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::nn {

Dropout::Dropout(double p) : p_(p) { check(p >= 0 && p < 1, "Dropout", "the probability must be in [0, 1): {}", p); }

Tensor Dropout::forward(const Tensor& x) { return training() && p_ > 0 ? dropout(x, p_) : x; }

Dropout2d::Dropout2d(double p) : p_(p) {
  check(p >= 0 && p < 1, "Dropout2d", "the probability must be in [0, 1): {}", p);
}

Tensor Dropout2d::forward(const Tensor& x) { return training() && p_ > 0 ? dropout2d(x, p_) : x; }

DropPath::DropPath(double p) : p_(p) { check(p >= 0 && p < 1, "DropPath", "the probability must be in [0, 1): {}", p); }

Tensor DropPath::forward(const Tensor& x) { return training() ? drop_path(x, p_) : x; }

Tensor DropPath::add_to(const Tensor& residual, const Tensor& x, Where site) {
  return call(
      x, [&](const Tensor& input) { return training() ? drop_path_add(input, residual, p_) : residual + input; }, site);
}

}  // namespace ff::nn
