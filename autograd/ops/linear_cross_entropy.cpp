// A linear layer and its cross entropy in one.

#include "ff/core/cpu/linear_cross_entropy.h"

#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// x (R, I), weight (C, I), bias (C) or undefined, target (R), i64, checked; factor times the sum of the losses.
struct LinearCrossEntropy : Function<LinearCrossEntropy> {
  static constexpr const char* name = "linear_cross_entropy";
  LinearCrossEntropyOptions options;
  double factor = 1;

  Tensor forward(Context& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target,
                 const LinearCrossEntropyOptions& chosen, double times) {
    options = chosen, factor = times;
    const auto gradient_of = [&](std::size_t i, const Tensor& of) {
      return ctx.needs_grad(i) ? Tensor::empty(of.shape(), of.dtype()) : Tensor();
    };
    const auto raw = [](const Tensor& tensor) { return tensor.defined() ? tensor.raw() : nullptr; };
    const Tensor dx = gradient_of(0, x), dweight = gradient_of(1, weight), dbias = gradient_of(2, bias);
    const Tensor losses = Tensor::empty(target.shape(), x.dtype()), x_dense = x.dense(), weight_dense = weight.dense(),
                 bias_dense = bias.defined() ? bias.dense() : bias;
    cpu::linear_cross_entropy({.dtype = x.dtype(),
                               .rows = x.size(0),
                               .inner = x.size(1),
                               .classes = weight.size(0),
                               .x = x_dense.raw(),
                               .weight = weight_dense.raw(),
                               .bias = raw(bias_dense),
                               .target = target.data<std::int64_t>(),
                               .ignore_index = options.ignore_index,
                               .smoothing = options.label_smoothing},
                              factor, losses.raw(), {.x = raw(dx), .weight = raw(dweight), .bias = raw(dbias)});
    ctx.save({x, weight, bias, target, dx, dweight, dbias});
    return sum(losses) * factor;
  }

  Gradients backward(Context& ctx, const Tensor& dloss) const {
    const Tensor target = ctx.saved(3);
    if (grad_enabled()) {
      std::vector<Tensor> inputs{ctx.saved(0), ctx.saved(1)};
      if (const Tensor bias = ctx.saved(2); bias.defined()) inputs.push_back(bias);
      return kernels::backward_of_composition(
          [&](const auto& in) {
            return factor * cross_entropy(linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor()), target,
                                          {.ignore_index = options.ignore_index,
                                           .label_smoothing = options.label_smoothing,
                                           .reduction = Loss::sum});
          },
          inputs, dloss);
    }
    const double times = dloss.item<double>();
    Gradients gradients;
    for (const std::size_t i : {4, 5, 6}) {
      const Tensor gradient = ctx.saved(i);
      gradients.push_back(!gradient.defined() || times == 1 ? gradient : gradient * times);
    }
    return gradients;
  }
};

}  // namespace

Tensor linear_cross_entropy(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& target,
                            const LinearCrossEntropyOptions& options, Where site) {
  const CallSite here(site);
  const char* op = LinearCrossEntropy::name;
  kernels::check_floating(op, x);
  check(weight.rank() == 2 && x.rank() > 0 && x.size(-1) == weight.size(1) && weight.size(0) > 0, op,
        "x (.., I) and weight (C, I), C >= 1, are needed: {} and {}", x.shape().str(), weight.shape().str());
  check(!bias.defined() || (bias.rank() == 1 && bias.size(0) == weight.size(0)), op,
        "a bias of shape {} for {} classes", bias.defined() ? bias.shape().str() : "", weight.size(0));
  check(x.dtype() == weight.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op,
        "tensors of one dtype are needed: x {}, weight {}, bias {}", name(x.dtype()), name(weight.dtype()),
        bias.defined() ? name(bias.dtype()) : "none");
  Shape expected = x.shape();
  expected.erase(x.rank() - 1);
  check(expected == target.shape(), op, "x of shape {} does not go with targets of shape {}", x.shape().str(),
        target.shape().str());
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, "label smoothing must lie in [0, 1]: {}",
        options.label_smoothing);
  check(options.reduction != Loss::none, op, "the losses of the single rows do not leave this op: mean or sum");
  check(std::isfinite(options.scale), op, "the scale must be finite: {}", options.scale);
  const kernels::Targets targets(op, target, weight.size(0), options.ignore_index);
  const double factor =
      options.reduction == Loss::sum ? options.scale : options.scale / static_cast<double>(targets.counted);
  return LinearCrossEntropy::apply(reshape(x, {target.numel(), x.size(-1)}), weight, bias,
                                   reshape(targets.classes, {target.numel()}), options, factor);
}

std::vector<OpRecord> linear_cross_entropy_ops() {
  using Inputs = std::vector<Tensor>;
  const Tensor target = Tensor::from<std::int64_t>({2, 0, 3}), some = Tensor::from<std::int64_t>({2, -100, 3});
  return {
      {"linear_cross_entropy", true, [=](Sampler& s) {
         const auto biased = [](const LinearCrossEntropyOptions& options) {
           return [=](const Inputs& in) { return linear_cross_entropy(in[0], in[1], in[2], in[3], options); };
         };
         const auto plain = [](const LinearCrossEntropyOptions& options) {
           return [=](const Inputs& in) { return linear_cross_entropy(in[0], in[1], {}, in[2], options); };
         };
         const auto x = [&](const Shape& shape) { return s.normal(shape); };
         return std::vector<OpSample>{
             {"mean", {x({3, 5}), x({4, 5}), x({4}), target}, biased({})},
             {"smoothed, ignoring", {x({3, 5}), x({4, 5}), x({4}), some}, biased({.label_smoothing = 0.1})},
             {"sum, scaled", {x({3, 5}), x({4, 5}), x({4}), some}, biased({.reduction = Loss::sum, .scale = 0.3})},
             {"no bias, batch", {x({1, 3, 2}), x({4, 2}), reshape(target, {1, 3})}, plain({.scale = -2})},
             {"one class", {x({2, 2}), x({1, 2}), Tensor::from<std::int64_t>({0, 0})}, plain({})},
             {"no rows", {x({0, 2}), x({4, 2}), x({4}), Tensor::empty({0}, i64)}, biased({.reduction = Loss::sum})}};
       }}};
}

}  // namespace ff
