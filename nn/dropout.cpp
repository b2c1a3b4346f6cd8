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

Tensor DropPath::forward(const Tensor& x) {
  if (!training() || p_ == 0) return x;
  check(x.rank() >= 1 && is_floating(x.dtype()), "DropPath",
        "a floating tensor of samples is needed: shape {}, dtype {}", x.shape().str(), name(x.dtype()));
  Shape factors = Shape::filled(x.rank(), 1);
  factors[0] = x.shape()[0];
  const RandomKey key = default_generator().next(static_cast<std::uint64_t>(factors[0]));
  return x * dropout_mask(factors, p_, key, x.dtype());
}

}  // namespace ff::nn
