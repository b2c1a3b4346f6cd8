#pragma once

#include <cstdint>
#include <vector>

#include "ff/nn/containers.h"
#include "ff/nn/linear.h"

namespace ff::nn {

/// The adaptive softmax of Grave et al. 2017 over classes that are numbered by falling frequency. cutoffs divide them:
/// those below the first are the shortlist, [cutoffs[i], cutoffs[i + 1]) is cluster i, the last of which ends with the
/// classes. A head chooses among shortlist and clusters, a tail within each cluster:
///   log p(class) = log p(head's entry class), or log p(head's entry shortlist + i) + log p(class in cluster i).
/// A training step computes the head for all samples and each tail for those alone whose class lies in it.
class AdaptiveSoftmax : public Module {
 public:
  /// What scores the entries of a head or tail: linear(x, weight, bias) or, with a projection, linear(linear(x,
  /// projection), weight, bias). bias and projection may be undefined.
  struct Scores {
    Tensor weight, bias, projection;
  };

  struct LossOptions {
    std::int64_t ignore_index = -100;  ///< samples with this target count for nothing
    bool mean = true;  ///< over the samples that are not ignored, of which there must be one; else the sum
  };

  /// -log p(target) of x (.., in), target (..), i64 or i32, as a scalar. Never holds the scores of all samples at once.
  /// Throws Error for targets out of range.
  Tensor loss(const Tensor& x, const Tensor& target, const LossOptions& options) const;
  Tensor loss(const Tensor& x, const Tensor& target) const { return loss(x, target, {}); }
  /// log p of all classes: (.., in) to (.., classes).
  Tensor log_prob(const Tensor& x) const;
  /// The likeliest class, i64: (.., in) to (..). Tails are computed only of samples for whose head a cluster is
  /// likeliest.
  Tensor predict(const Tensor& x) const;

  const std::vector<std::int64_t>& cutoffs() const { return cutoffs_; }
  std::int64_t shortlist() const { return cutoffs_.front(); }
  std::int64_t clusters() const { return static_cast<std::int64_t>(cutoffs_.size()); }
  std::int64_t classes() const { return classes_; }

 protected:
  /// Throws Error unless cutoffs are ascending, at least 1 and below classes, and there is one at least.
  AdaptiveSoftmax(std::int64_t in_features, std::int64_t classes, std::vector<std::int64_t> cutoffs);

  /// Weight (shortlist + clusters, in).
  virtual Scores head() const = 0;
  /// Weight (size of cluster, its width).
  virtual Scores tail(std::int64_t cluster) const = 0;
  /// Where a cluster ends; -1 is the shortlist.
  std::int64_t end_of(std::int64_t cluster) const;

 private:
  Tensor rows_of(const Tensor& x) const;

  std::int64_t in_features_, classes_;
  std::vector<std::int64_t> cutoffs_;
};

struct AdaptiveLogSoftmaxOptions {
  double div_value = 4;  ///< the width of cluster i is in_features / div_value^(i + 1), rounded down
  bool head_bias = false;
};

/// torch.nn.AdaptiveLogSoftmaxWithLoss, with its parameters: head.weight, (head.bias,) tail.i.0.weight, which projects
/// to the width of cluster i, and tail.i.1.weight.
class AdaptiveLogSoftmaxWithLoss : public AdaptiveSoftmax {
 public:
  /// Throws Error where a cluster's width would be 0.
  AdaptiveLogSoftmaxWithLoss(std::int64_t in_features, std::int64_t n_classes, std::vector<std::int64_t> cutoffs,
                             const AdaptiveLogSoftmaxOptions& options = {});

 private:
  Scores head() const override;
  Scores tail(std::int64_t cluster) const override;

  Linear head_;
  ModuleList<Sequential> tail_;
};

/// The adaptive softmax of Transformer-XL (Dai et al. 2019) with div_val 1, at full width, tied: weight (classes, in)
/// is the embedding's own, which this module does not register. Its parameters: bias (classes), cluster_weight
/// (clusters, in), cluster_bias (clusters), in the order of the clusters (the published code has them the other way
/// round). Biases start at 0, cluster_weight normal (0.02). What a step adds to the gradient of a sparse embedding
/// (EmbeddingOptions::sparse), and to that of bias, is the shortlist's rows and those of the clusters that have a
/// target.
class TiedAdaptiveSoftmax : public AdaptiveSoftmax {
 public:
  /// weight must live as long.
  TiedAdaptiveSoftmax(const Tensor& weight, std::vector<std::int64_t> cutoffs);

  Tensor bias, cluster_weight, cluster_bias;

 private:
  Scores head() const override;
  Scores tail(std::int64_t cluster) const override;

  const Tensor& weight_;
};

}  // namespace ff::nn
