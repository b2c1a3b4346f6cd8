// Losses of classes: cross_entropy and nll_loss.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/softmax.h"

namespace ff {
namespace {

using kernels::Targets;

// The same of plain ops: logits (R, C), target (R).
Tensor composed(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const Tensor ignored = eq(target, static_cast<double>(options.ignore_index));
  const Tensor index = where(ignored, Tensor::scalar(0, i64), target);
  const Tensor log_p = log_softmax(logits, -1);
  const Tensor hit = neg(squeeze(gather(log_p, 1, unsqueeze(index, 1)), 1)), spread = neg(mean(log_p, {1}));
  const Tensor loss = hit * (1 - options.label_smoothing) + spread * options.label_smoothing;
  return masked_fill(loss, ignored, 0);
}

// One loss a row: logits (R, C), target (R), i64, checked.
struct CrossEntropy : Function<CrossEntropy> {
  static constexpr const char* name = "cross_entropy";
  CrossEntropyOptions options;
  Tensor forward(Context& ctx, const Tensor& logits, const Tensor& target, const CrossEntropyOptions& chosen) {
    options = chosen;
    const Tensor x = logits.dense();
    Tensor loss = Tensor::empty(target.shape(), x.dtype()), lse = Tensor::empty(target.shape(), x.dtype());
    cpu::cross_entropy(x.dtype(), x.size(0), x.size(1), x.raw(), target.data<std::int64_t>(), options.ignore_index,
                       options.label_smoothing, loss.raw(), lse.raw());
    ctx.save({logits, target, lse});
    return loss;
  }
  Gradients backward(Context& ctx, const Tensor& dloss) const {
    const Tensor logits = ctx.saved(0), target = ctx.saved(1);
    if (grad_enabled())
      return kernels::backward_of_composition([&](const auto& in) { return composed(in[0], target, options); },
                                              {logits}, dloss);
    Tensor dx = Tensor::empty(logits.shape(), logits.dtype());
    cpu::cross_entropy_backward(dx.dtype(), dx.size(0), dx.size(1), logits.dense().raw(), target.data<std::int64_t>(),
                                options.ignore_index, options.label_smoothing, ctx.saved(2).raw(), dloss.dense().raw(),
                                dx.raw());
    return {dx};
  }
};

int class_dim_of(const Tensor& scores) { return scores.rank() == 1 ? 0 : 1; }

// scores (C), (N, C) or (N, C, ..), of one class at least, and targets of that shape without C.
void check_shapes(const char* op, const char* what, const Tensor& scores, const Tensor& target) {
  kernels::check_floating(op, scores);
  const bool fits = scores.rank() > 0 && [&] {
    Shape expected = scores.shape();
    expected.erase(class_dim_of(scores));
    return expected == target.shape();
  }();
  check(fits, op, "{} of shape {} do not go with targets of shape {}", what, scores.shape().str(),
        target.shape().str());
  check(scores.size(class_dim_of(scores)) > 0, op, "no classes: {} of shape {}", what, scores.shape().str());
}

// weight, if there is one, in the shape (C, 1, ..) that broadcasts along scores' classes.
Tensor along_classes(const char* op, const Tensor& weight, const Tensor& scores) {
  if (!weight.defined()) return weight;
  const std::int64_t classes = scores.size(class_dim_of(scores));
  check(weight.rank() == 1 && weight.size(0) == classes, op, "a weight of shape {} for {} classes",
        weight.shape().str(), classes);
  check(weight.dtype() == scores.dtype(), op, "a weight of dtype {} is needed: {}", name(scores.dtype()),
        name(weight.dtype()));
  Shape shape = Shape::filled(scores.rank() - class_dim_of(scores), 1);
  shape[0] = classes;
  return reshape(weight, shape);
}

// What follows is of scores of any rank: the losses of class targets, and what a mean divides their sum by.
struct ClassLosses {
  Tensor hits, weights;  // of the targets' shape; 0 where ignored

  // hits: -weight[target] log_p[target].
  ClassLosses(const Tensor& log_p, const Tensor& target, const Tensor& ignored, const Tensor& weight) {
    const int dim = class_dim_of(log_p);
    const Tensor index = unsqueeze(where(ignored, Tensor::scalar(0, i64), target), dim);
    const Tensor chosen = neg(gather(log_p, dim, index));
    weights = cast(logical_not(ignored), log_p.dtype());
    if (weight.defined())
      weights = masked_fill(reshape(index_select(weight, 0, flatten(index)), target.shape()), ignored, 0);
    hits = masked_fill(squeeze(weight.defined() ? chosen * unsqueeze(weights, dim) : chosen, dim), ignored, 0);
  }
  Tensor reduced(const Tensor& losses, Loss reduction) const {
    if (reduction == Loss::none) return losses;
    return reduction == Loss::sum ? sum(losses) : sum(losses) / sum(weights);
  }
};

// Class targets with a weight for each class.
Tensor weighted_cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const int dim = class_dim_of(logits);
  const Tensor weight = along_classes(CrossEntropy::name, options.weight, logits), log_p = log_softmax(logits, dim);
  const Tensor ignored = eq(target, static_cast<double>(options.ignore_index));
  const ClassLosses losses(log_p, target, ignored, options.weight);
  if (options.label_smoothing == 0) return losses.reduced(losses.hits, options.reduction);
  const Tensor spread = masked_fill(neg(sum(log_p * weight, {dim})), ignored, 0);
  const double share = options.label_smoothing / static_cast<double>(logits.size(dim));
  return losses.reduced(losses.hits * (1 - options.label_smoothing) + spread * share, options.reduction);
}

// Targets that are the probabilities of the classes.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const char* op = CrossEntropy::name;
  kernels::check_floating(op, logits);
  check(logits.rank() > 0 && logits.shape() == target.shape(), op,
        "logits of shape {} do not go with probabilities of shape {}", logits.shape().str(), target.shape().str());
  check(options.ignore_index < 0, op, "ignore_index is for class targets, not for probabilities: {}",
        options.ignore_index);
  const int dim = class_dim_of(logits);
  const std::int64_t classes = logits.size(dim);
  check(classes > 0, op, "no classes: logits of shape {}", logits.shape().str());
  const double smoothing = options.label_smoothing;
  const Tensor smooth = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / static_cast<double>(classes);
  const Tensor weight = along_classes(op, options.weight, logits), terms = log_softmax(logits, dim) * smooth;
  const Tensor losses = neg(sum(weight.defined() ? terms * weight : terms, {dim}));
  return options.reduction == Loss::none ? losses : options.reduction == Loss::sum ? sum(losses) : mean(losses);
}

// Class targets without weights, fused.
Tensor plain_cross_entropy(const Tensor& logits, const Targets& targets, const CrossEntropyOptions& options) {
  const int class_dim = class_dim_of(logits);
  const std::int64_t classes = logits.size(class_dim);
  // (N, C, ..) to (N, .., C) to (R, C).
  Dims dims;
  for (int i = 0; i < logits.rank(); ++i)
    if (i != class_dim) dims.push_back(i);
  dims.push_back(class_dim);
  const Tensor rows = reshape(logits.rank() > 2 ? permute(logits, dims) : logits, {logits.numel() / classes, classes});
  const Tensor losses = CrossEntropy::apply(rows, reshape(targets.classes, {rows.size(0)}), options);
  switch (options.reduction) {
    case Loss::mean:
      return sum(losses) / static_cast<double>(targets.counted);
    case Loss::sum:
      return sum(losses);
    case Loss::none:
      break;
  }
  return reshape(losses, targets.classes.shape());
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options, Where site) {
  const CallSite here(site);
  const char* op = CrossEntropy::name;
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, "label smoothing must lie in [0, 1]: {}",
        options.label_smoothing);
  if (is_floating(target.dtype())) return soft_cross_entropy(logits, target, options);
  check_shapes(op, "logits", logits, target);
  const Targets targets(op, target, logits.size(class_dim_of(logits)), options.ignore_index);
  return options.weight.defined() ? weighted_cross_entropy(logits, targets.classes, options)
                                  : plain_cross_entropy(logits, targets, options);
}

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options, Where site) {
  const CallSite here(site);
  const char* op = "nll_loss";
  check_shapes(op, "log-probabilities", log_probs, target);
  along_classes(op, options.weight, log_probs);
  const Targets targets(op, target, log_probs.size(class_dim_of(log_probs)), options.ignore_index);
  const Tensor ignored = eq(targets.classes, static_cast<double>(options.ignore_index));
  const ClassLosses losses(log_probs, targets.classes, ignored, options.weight);
  return losses.reduced(losses.hits, options.reduction);
}

std::vector<OpRecord> classification_loss_ops() {
  using Inputs = std::vector<Tensor>;
  const Tensor target = Tensor::from<std::int64_t>({2, 0, 3}), some = Tensor::from<std::int64_t>({2, -100, 3}),
               one = Tensor::from(std::vector<std::int64_t>{1}, {});
  auto cross_entropies = [=](Sampler& s) {
    auto call = [](const CrossEntropyOptions& options) {
      return [=](const Inputs& in) { return cross_entropy(in[0], in[1], options); };
    };
    auto weighted = [](const CrossEntropyOptions& options) {
      return [=](const Inputs& in) {
        CrossEntropyOptions with_weight = options;
        with_weight.weight = in[2];
        return cross_entropy(in[0], in[1], with_weight);
      };
    };
    auto x = [&](const Shape& shape) { return s.normal(shape); };
    auto w = [&](const Shape& shape) { return s.uniform(shape, 0.2, 2); };
    const Tensor second = reshape(target, {1, 3});
    return std::vector<OpSample>{
        {"mean", {x({3, 4}), target}, call({})},
        {"smoothed, ignoring", {x({3, 4}), some}, call({.label_smoothing = 0.1})},
        {"each", {x({3, 4}), target}, call({.reduction = Loss::none})},
        {"one row", {x({4}), one}, call({})},
        {"classes second", {x({1, 4, 3}), second}, call({.reduction = Loss::sum})},
        {"weighted", {x({3, 4}), target, w({4})}, weighted({})},
        {"weighted, smoothed, ignoring", {x({3, 4}), some, w({4})}, weighted({.label_smoothing = 0.1})},
        {"weighted, each", {x({3, 4}), some, w({4})}, weighted({.label_smoothing = 0.2, .reduction = Loss::none})},
        {"weighted, one row", {x({4}), one, w({4})}, weighted({})},
        {"weighted, classes second", {x({1, 4, 3}), second, w({4})}, weighted({.reduction = Loss::sum})},
        {"soft", {x({3, 4}), w({3, 4})}, call({})},
        {"soft, smoothed, each", {x({3, 4}), w({3, 4})}, call({.label_smoothing = 0.1, .reduction = Loss::none})},
        {"soft, weighted", {x({3, 4}), w({3, 4}), w({4})}, weighted({})},
        {"soft, classes second", {x({1, 4, 2}), w({1, 4, 2}), w({4})}, weighted({.label_smoothing = 0.1})},
        {"soft, one row", {x({4}), w({4})}, call({.reduction = Loss::sum})}};
  };
  auto likelihoods = [=](Sampler& s) {
    auto call = [](const NllLossOptions& options, bool with_weight) {
      return [=](const Inputs& in) {
        NllLossOptions chosen = options;
        if (with_weight) chosen.weight = in[2];
        return nll_loss(in[0], in[1], chosen);
      };
    };
    auto x = [&](const Shape& shape) { return s.normal(shape); };
    const Tensor weight = s.uniform({4}, 0.2, 2);
    return std::vector<OpSample>{
        {"mean", {x({3, 4}), target}, call({}, false)},
        {"ignoring", {x({3, 4}), some}, call({}, false)},
        {"weighted, ignoring", {x({3, 4}), some, weight}, call({}, true)},
        {"weighted, each", {x({3, 4}), target, weight}, call({.reduction = Loss::none}, true)},
        {"one row", {x({4}), one}, call({}, false)},
        {"classes second", {x({1, 4, 3}), reshape(target, {1, 3})}, call({.reduction = Loss::sum}, false)},
        {"no rows", {x({0, 4}), Tensor::empty({0}, i64)}, call({.reduction = Loss::sum}, false)}};
  };
  return {{"cross_entropy", true, cross_entropies}, {"nll_loss", true, likelihoods}};
}

}  // namespace ff
