#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

enum class Loss { mean, sum, none };

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;  ///< targets of this class count for nothing
  double label_smoothing = 0;        ///< share of the target spread evenly over all classes, in [0, 1]
  Loss reduction = Loss::mean;       ///< over the targets that are not ignored; the mean of none is NaN, as in PyTorch
};
/// -log softmax(logits)[target]: logits (C), (N, C) or (N, C, ..) with the classes in dimension 1, as in PyTorch, and
/// targets (), (N) or (N, ..), i64 or i32.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {},
                     Where site = {});
/// (a - b)^2, reduced.
Tensor mse_loss(const Tensor& a, const Tensor& b, Loss reduction = Loss::mean, Where site = {});

}  // namespace ff
