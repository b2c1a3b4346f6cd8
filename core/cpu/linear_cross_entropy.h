#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// A linear layer and the cross entropy of what it gives, of which only some rows at a time stand in memory.
struct LinearCrossEntropy {
  DType dtype;                        ///< f32 or f64
  std::int64_t rows, inner, classes;  ///< x (rows, inner), weight (classes, inner), bias (classes) or null; dense
  const void *x, *weight, *bias;
  const std::int64_t* target;  ///< (rows), each in [0, classes) or ignore_index: check before
  std::int64_t ignore_index;
  double smoothing;  ///< as in cross_entropy()
};

/// Where gradients go, dense, in the shapes of what they are of; null for one that is not wanted.
struct LinearCrossEntropyGradients {
  void *x = nullptr, *weight = nullptr, *bias = nullptr;
};

/// loss (rows) of logits x weight^T + bias, as cross_entropy() has it, and, scale times, the gradients of its sum. What
/// stands of the logits is a few MiB, but 64 rows at least.
void linear_cross_entropy(const LinearCrossEntropy& of, double scale, void* loss,
                          const LinearCrossEntropyGradients& gradients);

}  // namespace ff::cpu
