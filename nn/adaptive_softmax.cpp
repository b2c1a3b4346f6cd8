#include "ff/nn/adaptive_softmax.h"

#include <algorithm>
#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/autograd/sparse_gradient.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {
namespace {

constexpr const char* op = "adaptive_softmax";

Tensor logits(const Tensor& x, const AdaptiveSoftmax::Scores& scores) {
  return linear(scores.projection.defined() ? linear(x, scores.projection) : x, scores.weight, scores.bias);
}

Tensor vector_of(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

}  // namespace

AdaptiveSoftmax::AdaptiveSoftmax(std::int64_t in_features, std::int64_t classes, std::vector<std::int64_t> cutoffs)
    : in_features_(in_features), classes_(classes), cutoffs_(std::move(cutoffs)) {
  check(in_features >= 1, op, "{} features; at least one is needed", in_features);
  check(!cutoffs_.empty(), op, "no cutoffs: one at least is needed");
  std::int64_t before = 0;
  for (const std::int64_t cutoff : cutoffs_) {
    check(cutoff > before && cutoff < classes, op,
          "cutoffs must be ascending, at least 1 and below the number of classes, {}: {}", classes,
          fmt::join(cutoffs_, ", "));
    before = cutoff;
  }
}

std::int64_t AdaptiveSoftmax::end_of(std::int64_t cluster) const {
  return cluster + 1 < clusters() ? cutoffs_[static_cast<std::size_t>(cluster + 1)] : classes_;
}

// (.., in) to (rows, in)
Tensor AdaptiveSoftmax::rows_of(const Tensor& x) const {
  check(x.rank() >= 1 && x.size(-1) == in_features_, op, "x must be (.., {}), its shape is {}", in_features_,
        x.shape().str());
  return reshape(x, {x.numel() / in_features_, in_features_});
}

Tensor AdaptiveSoftmax::loss(const Tensor& x, const Tensor& target, const LossOptions& options) const {
  const Tensor rows = rows_of(x);
  Shape expected = x.shape();
  expected.erase(x.rank() - 1);
  check(target.shape() == expected, op, "x of shape {} does not go with targets of shape {}", x.shape().str(),
        target.shape().str());
  check(target.dtype() == i64 || target.dtype() == i32, op, "targets must be i64 or i32: {}", name(target.dtype()));

  // What is asked of the head, and of each tail: of which samples, and which of its entries.
  struct Part {
    std::vector<std::int64_t> samples, targets;
  };
  std::vector<std::int64_t> of_head = target.to_vector<std::int64_t>();
  std::vector<Part> tails(cutoffs_.size());
  std::int64_t counted = 0;
  for (std::size_t i = 0; i < of_head.size(); ++i) {
    std::int64_t& t = of_head[i];
    if (t == options.ignore_index) continue;
    check(t >= 0 && t < classes_, op, "target out of range: {} (entry {}), {} classes", t, i, classes_);
    ++counted;
    if (t < shortlist()) continue;
    const auto cluster =
        static_cast<std::size_t>(std::upper_bound(cutoffs_.begin(), cutoffs_.end(), t) - cutoffs_.begin() - 1);
    tails[cluster].samples.push_back(static_cast<std::int64_t>(i));
    tails[cluster].targets.push_back(t - cutoffs_[cluster]);
    t = shortlist() + static_cast<std::int64_t>(cluster);
  }
  check(counted > 0 || !options.mean, op, "there is no target to take the mean of: all {} are ignored", of_head.size());
  const LinearCrossEntropyOptions summed{.ignore_index = options.ignore_index,
                                         .reduction = Loss::sum,
                                         .scale = options.mean ? 1 / static_cast<double>(counted) : 1};
  const auto part_loss = [&](const Tensor& of, const Scores& scores, const std::vector<std::int64_t>& targets) {
    return linear_cross_entropy(scores.projection.defined() ? linear(of, scores.projection) : of, scores.weight,
                                scores.bias, vector_of(targets), summed);
  };
  Tensor total = part_loss(rows, head(), of_head);
  for (std::int64_t i = 0; i < clusters(); ++i) {
    const Part& part = tails[static_cast<std::size_t>(i)];
    if (!part.samples.empty())
      total = total + part_loss(index_select(rows, 0, vector_of(part.samples)), tail(i), part.targets);
  }
  return total;
}

Tensor AdaptiveSoftmax::log_prob(const Tensor& x) const {
  const Tensor rows = rows_of(x), of_head = log_softmax(logits(rows, head()), 1);
  std::vector<Tensor> parts{slice(of_head, 1, 0, shortlist())};
  for (std::int64_t i = 0; i < clusters(); ++i)
    parts.push_back(log_softmax(logits(rows, tail(i)), 1) + slice(of_head, 1, shortlist() + i, shortlist() + i + 1));
  Shape shape = x.shape();
  shape[x.rank() - 1] = classes_;
  return reshape(concatenate(parts, 1), shape);
}

Tensor AdaptiveSoftmax::predict(const Tensor& x) const {
  const Tensor rows = rows_of(x);
  std::vector<std::int64_t> likeliest = argmax(logits(rows, head()), 1).to_vector<std::int64_t>();
  // Where the head likes a cluster best, a class of the shortlist may still be likelier than any of the cluster's.
  std::vector<std::int64_t> open;
  for (std::size_t i = 0; i < likeliest.size(); ++i)
    if (likeliest[i] >= shortlist()) open.push_back(static_cast<std::int64_t>(i));
  if (!open.empty()) {
    const auto best = argmax(log_prob(index_select(rows, 0, vector_of(open))), 1).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < best.size(); ++i) likeliest[static_cast<std::size_t>(open[i])] = best[i];
  }
  Shape shape = x.shape();
  shape.erase(x.rank() - 1);
  return Tensor::from(likeliest, shape);
}

AdaptiveLogSoftmaxWithLoss::AdaptiveLogSoftmaxWithLoss(std::int64_t in_features, std::int64_t n_classes,
                                                       std::vector<std::int64_t> cutoffs,
                                                       const AdaptiveLogSoftmaxOptions& options)
    : AdaptiveSoftmax(in_features, n_classes, std::move(cutoffs)),
      head_(in_features, shortlist() + clusters(), {.bias = options.head_bias}) {
  check(options.div_value > 0, op, "div_value must be above 0: {}", options.div_value);
  add("head", head_);
  for (std::int64_t i = 0; i < clusters(); ++i) {
    const double width = static_cast<double>(in_features) / std::pow(options.div_value, static_cast<double>(i + 1));
    check(width >= 1, op, "cluster {} of {} would have no width: {} features, div_value {}", i, clusters(), in_features,
          options.div_value);
    Sequential& tail = tail_.emplace();
    tail.emplace<Linear>(in_features, static_cast<std::int64_t>(width), LinearOptions{.bias = false});
    tail.emplace<Linear>(static_cast<std::int64_t>(width), end_of(i) - end_of(i - 1), LinearOptions{.bias = false});
  }
  add("tail", tail_);
}

AdaptiveSoftmax::Scores AdaptiveLogSoftmaxWithLoss::head() const { return {head_.weight, head_.bias, {}}; }

AdaptiveSoftmax::Scores AdaptiveLogSoftmaxWithLoss::tail(std::int64_t cluster) const {
  const Sequential& parts = tail_[static_cast<std::size_t>(cluster)];
  return {dynamic_cast<const Linear&>(parts[1]).weight, {}, dynamic_cast<const Linear&>(parts[0]).weight};
}

TiedAdaptiveSoftmax::TiedAdaptiveSoftmax(const Tensor& weight, std::vector<std::int64_t> cutoffs)
    : AdaptiveSoftmax(weight.size(1), weight.size(0), std::move(cutoffs)), weight_(weight) {
  bias = Tensor::empty({classes()});
  cluster_weight = Tensor::empty({clusters(), weight.size(1)});
  cluster_bias = Tensor::empty({clusters()});
  init::zeros_(bias);
  init::normal_(cluster_weight, 0, 0.02);
  init::zeros_(cluster_bias);
  add_parameter("bias", bias);
  keep_sparse_gradient(bias);
  add_parameter("cluster_weight", cluster_weight);
  add_parameter("cluster_bias", cluster_bias);
}

AdaptiveSoftmax::Scores TiedAdaptiveSoftmax::head() const {
  return {concatenate({slice(weight_, 0, 0, shortlist()), cluster_weight}),
          concatenate({slice(bias, 0, 0, shortlist()), cluster_bias}),
          {}};
}

AdaptiveSoftmax::Scores TiedAdaptiveSoftmax::tail(std::int64_t cluster) const {
  const std::int64_t begin = end_of(cluster - 1), end = end_of(cluster);
  return {slice(weight_, 0, begin, end), slice(bias, 0, begin, end), {}};
}

}  // namespace ff::nn
