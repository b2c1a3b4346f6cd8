#include "ff/optim/kernels.h"

#include <cmath>

namespace ff::optim::kernels {

// The loops are plain, for the compiler to vectorise: no branch in them depends on an element, and none aliases.

template <class T>
void sgd(std::int64_t n, T* p, const T* g, T* b, const SgdStep& step) {
  const T lr = static_cast<T>(step.lr), momentum = static_cast<T>(step.momentum),
          decay = static_cast<T>(step.weight_decay), scale = static_cast<T>(step.grad_scale);
  // At first b = d, whatever it held.
  const T keep = step.first ? T(0) : momentum, gain = step.first ? T(1) : static_cast<T>(1 - step.dampening);
  T* __restrict parameter = p;
  const T* __restrict grad = g;
  T* __restrict buffer = b;
  if (step.momentum == 0) {
    for (std::int64_t i = 0; i < n; ++i) parameter[i] -= lr * (scale * grad[i] + decay * parameter[i]);
  } else if (step.nesterov) {
    for (std::int64_t i = 0; i < n; ++i) {
      const T d = scale * grad[i] + decay * parameter[i];
      buffer[i] = keep * buffer[i] + gain * d;
      parameter[i] -= lr * (d + momentum * buffer[i]);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) {
      buffer[i] = keep * buffer[i] + gain * (scale * grad[i] + decay * parameter[i]);
      parameter[i] -= lr * buffer[i];
    }
  }
}

template <class T>
void adam(std::int64_t n, T* p, const T* g, T* m, T* v, const AdamStep& step) {
  const double t = static_cast<double>(step.step);
  const T beta1 = static_cast<T>(step.beta1), beta2 = static_cast<T>(step.beta2);
  const T gain1 = static_cast<T>(1 - step.beta1), gain2 = static_cast<T>(1 - step.beta2);
  const T size = static_cast<T>(step.lr / (1 - std::pow(step.beta1, t)));
  const T root = static_cast<T>(1 / std::sqrt(1 - std::pow(step.beta2, t))), eps = static_cast<T>(step.eps);
  const T shrink = static_cast<T>(step.decoupled ? 1 - step.lr * step.weight_decay : 1);
  const T decay = static_cast<T>(step.decoupled ? 0 : step.weight_decay), scale = static_cast<T>(step.grad_scale);
  T* __restrict parameter = p;
  const T* __restrict gradient = g;
  T* __restrict mean = m;
  T* __restrict square = v;
  for (std::int64_t i = 0; i < n; ++i) {
    const T before = parameter[i], grad = scale * gradient[i] + decay * before;
    mean[i] = beta1 * mean[i] + gain1 * grad;
    square[i] = beta2 * square[i] + gain2 * grad * grad;
    parameter[i] = shrink * before - size * (mean[i] / (std::sqrt(square[i]) * root + eps));
  }
}

template <class T>
void average(std::int64_t n, T* a, const T* p, double weight) {
  const T w = static_cast<T>(weight);
  T* __restrict mean = a;
  const T* __restrict parameter = p;
  for (std::int64_t i = 0; i < n; ++i) mean[i] += w * (parameter[i] - mean[i]);
}

template void sgd(std::int64_t, float*, const float*, float*, const SgdStep&);
template void sgd(std::int64_t, double*, const double*, double*, const SgdStep&);
template void adam(std::int64_t, float*, const float*, float*, float*, const AdamStep&);
template void adam(std::int64_t, double*, const double*, double*, double*, const AdamStep&);
template void average(std::int64_t, float*, const float*, double);
template void average(std::int64_t, double*, const double*, double);

}  // namespace ff::optim::kernels
