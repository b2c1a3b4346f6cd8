// Losses.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/softmax.h"

namespace ff {
namespace {

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

// Targets as dense i64, each a class or ignored; and how many are not ignored.
std::pair<Tensor, std::int64_t> checked_target(const Tensor& target, std::int64_t classes, std::int64_t ignore_index) {
  const char* op = CrossEntropy::name;
  check(target.dtype() == i64 || target.dtype() == i32, op, "targets must be i64 or i32: {}", name(target.dtype()));
  const Tensor dense = kernels::to(target, i64).dense();
  const std::int64_t* values = dense.data<std::int64_t>();
  std::int64_t counted = 0;
  for (std::int64_t i = 0; i < dense.numel(); ++i) {
    if (values[i] == ignore_index) continue;
    check(values[i] >= 0 && values[i] < classes, op, "target out of range: {} (entry {}), {} classes", values[i], i,
          classes);
    ++counted;
  }
  return {dense, counted};
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options, Where site) {
  const CallSite here(site);
  const char* op = CrossEntropy::name;
  kernels::check_floating(op, logits);
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, "label smoothing must lie in [0, 1]: {}",
        options.label_smoothing);
  const int class_dim = logits.rank() == 1 ? 0 : 1;
  check(
      logits.rank() > 0 &&
          [&] {
            Shape expected = logits.shape();
            expected.erase(class_dim);
            return expected == target.shape();
          }(),
      op, "logits of shape {} do not go with targets of shape {}", logits.shape().str(), target.shape().str());
  const std::int64_t classes = logits.size(class_dim);
  check(classes > 0, op, "no classes: logits of shape {}", logits.shape().str());
  // (N, C, ..) to (N, .., C) to (R, C).
  Dims dims;
  for (int i = 0; i < logits.rank(); ++i)
    if (i != class_dim) dims.push_back(i);
  dims.push_back(class_dim);
  const Tensor rows = reshape(logits.rank() > 2 ? permute(logits, dims) : logits, {logits.numel() / classes, classes});
  const auto [classes_of_rows, counted] = checked_target(target, classes, options.ignore_index);
  const Tensor losses = CrossEntropy::apply(rows, reshape(classes_of_rows, {rows.size(0)}), options);
  switch (options.reduction) {
    case Loss::mean:
      return sum(losses) / static_cast<double>(counted);
    case Loss::sum:
      return sum(losses);
    case Loss::none:
      break;
  }
  return reshape(losses, target.shape());
}

Tensor mse_loss(const Tensor& a, const Tensor& b, Loss reduction, Where site) {
  const CallSite here(site);
  const Tensor losses = square(a - b);
  return reduction == Loss::mean ? mean(losses) : reduction == Loss::sum ? sum(losses) : losses;
}

std::vector<OpRecord> loss_ops() {
  using Inputs = std::vector<Tensor>;
  return {
      {"cross_entropy", true,
       [](Sampler& s) {
         auto call = [](const CrossEntropyOptions& options) {
           return [=](const Inputs& in) { return cross_entropy(in[0], in[1], options); };
         };
         const Tensor target = Tensor::from<std::int64_t>({2, 0, 3}), some = Tensor::from<std::int64_t>({2, -100, 3});
         return std::vector<OpSample>{
             {"mean", {s.normal({3, 4}), target}, call({})},
             {"smoothed, ignoring", {s.normal({3, 4}), some}, call({.label_smoothing = 0.1})},
             {"each", {s.normal({3, 4}), target}, call({.reduction = Loss::none})},
             {"one row", {s.normal({4}), Tensor::from(std::vector<std::int64_t>{1}, {})}, call({})},
             {"classes second", {s.normal({1, 4, 3}), reshape(target, {1, 3})}, call({.reduction = Loss::sum})}};
       }},
      {"mse_loss", true, [](Sampler& s) {
         return std::vector<OpSample>{
             {"mean", {s.normal({3, 2}), s.normal({3, 2})}, [](const Inputs& in) { return mse_loss(in[0], in[1]); }}};
       }}};
}

}  // namespace ff
