#pragma once

#include <cstdint>

/// The updates themselves: one pass over memory each, on plain arrays of n float or double numbers, on the calling
/// thread. Elements depend on themselves alone: an array may be cut anywhere.
namespace ff::optim::kernels {

/// Elements that a task updates at a time: what it touches stays in a second-level cache.
inline constexpr std::int64_t grain = 1 << 15;

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov;
  bool first;             ///< no momentum has been gathered yet
  double grad_scale = 1;  ///< g below is so many times the gradient given
};

/// d = g + weight_decay p; b = momentum b + (1 - dampening) d, b = d at first; p -= lr b, with Nesterov's lr (d +
/// momentum b). Without momentum p -= lr d, and b is not touched.
template <class T>
void sgd(std::int64_t n, T* p, const T* g, T* b, const SgdStep& step);

struct AdamStep {
  double lr, beta1, beta2, eps, weight_decay;
  bool decoupled;     ///< weight decay on the parameter itself (AdamW), not through the gradient
  std::int64_t step;  ///< counted from 1
  double grad_scale = 1;
};

/// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p -= lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps), before that p *= 1 - lr weight_decay if decoupled,
/// else g += weight_decay p.
template <class T>
void adam(std::int64_t n, T* p, const T* g, T* m, T* v, const AdamStep& step);

/// a += weight (p - a)
template <class T>
void average(std::int64_t n, T* a, const T* p, double weight);

}  // namespace ff::optim::kernels
