#include "ff/nn/clip.h"

#include <cmath>
#include <set>

#include "ff/core/check.h"
#include "ff/core/cpu/elementwise.h"
#include "ff/core/cpu/reduce.h"

namespace ff::nn {
namespace {

Tensor scaled(const Tensor& grad, double factor) {
  Tensor result = grad.copy();
  cpu::scale(result.dtype(), result.numel(), factor, result.raw());
  return result;
}

}  // namespace

double clip_grad_norm(const NamedTensors& parameters, double max_norm) {
  check(max_norm > 0, "clip_grad_norm", "max_norm must be positive: {}", max_norm);
  double squares = 0;
  for (const auto& [name, parameter] : parameters)
    if (const Tensor grad = parameter.grad(); grad.defined())
      squares += cpu::sum_of_squares(grad.dtype(), grad.numel(), grad.dense().raw());
  const double norm = std::sqrt(squares);
  const double factor = max_norm / (norm + 1e-6);
  if (!std::isfinite(norm) || factor >= 1) return norm;
  std::set<const void*> done;  // two parameters may have been given one gradient
  for (const auto& [name, parameter] : parameters) {
    const Tensor grad = parameter.grad();
    if (!grad.defined()) continue;
    if (!grad.is_contiguous() || grad.requires_grad() || grad.storage().use_count() > 1) {
      parameter.set_grad(scaled(grad, factor));
    } else if (done.insert(grad.raw()).second) {
      cpu::scale(grad.dtype(), grad.numel(), factor, grad.raw());
      grad.bump_version();
    }
  }
  return norm;
}

}  // namespace ff::nn
