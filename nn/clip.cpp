#include "ff/nn/clip.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "ff/autograd/sparse_gradient.h"
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

double grad_norm(const NamedTensors& parameters) {
  std::vector<Tensor> grads;
  std::vector<cpu::Elements> arrays;
  for (const auto& [name, parameter] : parameters)
    if (const Tensor grad = parameter.grad(); grad.defined()) {
      grads.push_back(grad.dense());
      arrays.push_back({grad.dtype(), grad.numel(), grads.back().raw(), touched(grad)});
    }
  return std::sqrt(cpu::sum_of_squares(arrays));
}

double clip_factor(double norm, double max_norm) {
  check(max_norm > 0, "clip_grad_norm", "max_norm must be positive: {}", max_norm);
  return std::isfinite(norm) ? std::min(1.0, max_norm / (norm + 1e-6)) : 1;
}

double clip_grad_norm(const NamedTensors& parameters, double max_norm) {
  const double norm = grad_norm(parameters), factor = clip_factor(norm, max_norm);
  if (factor == 1) return norm;
  std::set<const void*> done;  // two parameters may have been given one gradient
  for (const auto& [name, parameter] : parameters) {
    const Tensor grad = parameter.grad();
    if (!grad.defined()) continue;
    if (!grad.is_contiguous() || grad.requires_grad() || grad.storage().use_count() > 1) {
      parameter.set_grad(scaled(grad, factor));
    } else if (done.insert(grad.raw()).second) {
      autograd::scale_touched(grad, factor);
    }
  }
  return norm;
}

}  // namespace ff::nn
