#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// What becomes of the losses of the single entries.
enum class Loss { mean, sum, none };

struct CrossEntropyOptions {
  Tensor weight = {};                ///< one for each class (C), of the logits' dtype; undefined: 1
  std::int64_t ignore_index = -100;  ///< targets of this class count for nothing; class targets only
  double label_smoothing = 0;        ///< share of the target spread evenly over all classes, in [0, 1]
  Loss reduction = Loss::mean;       ///< over the targets that are not ignored; the mean of none is NaN, as in PyTorch
};
/// -log softmax(logits)[target]: logits (C), (N, C) or (N, C, ..) with the classes in dimension 1, as in PyTorch, and
/// targets (), (N) or (N, ..), i64 or i32, or floating of the logits' shape: the probability of each class. A weight
/// multiplies the loss of each class; the mean then divides by the sum of the targets' weights (with probabilities, by
/// their number). The formula is that of torch.nn.functional.cross_entropy.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {},
                     Where site = {});

struct LinearCrossEntropyOptions {
  std::int64_t ignore_index = -100;  ///< targets of this class count for nothing
  double label_smoothing = 0;        ///< as in CrossEntropyOptions
  Loss reduction = Loss::mean;       ///< mean or sum, as in CrossEntropyOptions
  double scale = 1;                  ///< multiplies the loss, at no cost: the gradients are computed so
};
/// cross_entropy(linear(x, weight, bias), target) without the logits ever standing in memory as a whole: x (.., I),
/// weight (C, I), bias (C) or undefined, target (..), i64 or i32. Loss and gradients come from one pass, a block of
/// rows at a time, so that backward has nothing left to do where the loss's own gradient is 1.
Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target,
                            const LinearCrossEntropyOptions& options = {}, Where site = {});

struct NllLossOptions {
  Tensor weight = {};                ///< one for each class (C), of the dtype of log_probs; undefined: 1
  std::int64_t ignore_index = -100;  ///< targets of this class count for nothing
  Loss reduction = Loss::mean;       ///< over the weights of the targets that are not ignored; of none: NaN
};
/// -weight[target] log_probs[target]: log_probs (C), (N, C) or (N, C, ..), target as for cross_entropy(), which is this
/// of log_softmax().
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options = {}, Where site = {});

// Below, both arguments broadcast where nothing else is said, and the mean is over all entries.

/// (input - target)^2
Tensor mse_loss(const Tensor& input, const Tensor& target, Loss reduction = Loss::mean, Where site = {});
/// |input - target|
Tensor l1_loss(const Tensor& input, const Tensor& target, Loss reduction = Loss::mean, Where site = {});
/// Of d = |input - target|: d^2 / (2 beta) where d < beta, else d - beta / 2. beta >= 0; 0 is l1_loss.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Loss reduction = Loss::mean, double beta = 1,
                      Where site = {});
/// Of d = |input - target|: d^2 / 2 where d <= delta, else delta (d - delta / 2). delta > 0.
Tensor huber_loss(const Tensor& input, const Tensor& target, Loss reduction = Loss::mean, double delta = 1,
                  Where site = {});

struct BinaryCrossEntropyOptions {
  Tensor weight = {};  ///< multiplies the losses, broadcast
  Loss reduction = Loss::mean;
};
/// -(target log input + (1 - target) log(1 - input)) of probabilities input, in [0, 1], and targets of its shape, both
/// floating. As in PyTorch, logarithms are taken for -100 where they are less, and the divisor of the gradient for
/// 1e-12.
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const BinaryCrossEntropyOptions& options = {},
                            Where site = {});

struct BinaryCrossEntropyWithLogitsOptions {
  Tensor weight = {};      ///< multiplies the losses, broadcast
  Tensor pos_weight = {};  ///< multiplies what a target of 1 costs, broadcast
  Loss reduction = Loss::mean;
};
/// binary_cross_entropy(sigmoid(logits), target), exact for logits of any size. target of the logits' shape, both
/// floating.
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options = {}, Where site = {});

struct KlDivOptions {
  bool log_target = false;  ///< target holds logarithms, too
  /// The sum divided by the size of dimension 0, which is the divergence's mean over a batch, in place of reduction.
  bool batchmean = false;
  Loss reduction = Loss::mean;  ///< over all entries
};
/// target (log target - input), input being log-probabilities: the Kullback-Leibler divergence of input's distribution
/// from target's, entry by entry. A target of 0 costs 0.
Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& options = {}, Where site = {});

/// sum a b / (max(|a|, eps) max(|b|, eps)) along dim of a and b broadcast: the cosine of the angle between them.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int dim = 1, double eps = 1e-8, Where site = {});

// Targets below are 1 (alike) or -1 (not alike), of any dtype.

/// input where target is 1, max(0, margin - input) where it is -1.
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin = 1, Loss reduction = Loss::mean,
                            Where site = {});
/// 1 - cos(a, b) where target is 1, max(0, cos(a, b) - margin) where it is -1: a and b (N, D), target (N); or (D) and
/// (). As in PyTorch, 1e-12 is added to the squares of the lengths.
Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin = 0,
                             Loss reduction = Loss::mean, Where site = {});

}  // namespace ff
