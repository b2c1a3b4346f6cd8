#include "ff/nn/norm.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::nn {
namespace {

// Makes, registers and starts what scales and shifts normalised values; a bias where one is given.
void add_affine(Module& module, const Shape& shape, Tensor& weight, Tensor* bias) {
  weight = Tensor::empty(shape);
  init::ones_(weight);
  module.add_parameter("weight", weight);
  if (bias == nullptr) return;
  *bias = Tensor::empty(shape);
  init::zeros_(*bias);
  module.add_parameter("bias", *bias);
}

void check_channels(const char* name, std::int64_t channels, double eps) {
  check(channels >= 1, name, "at least one channel is needed: {}", channels);
  check(eps >= 0, name, "eps is {}", eps);
}

}  // namespace

LayerNorm::LayerNorm(std::int64_t width, const LayerNormOptions& options) : LayerNorm(Shape{width}, options) {}

LayerNorm::LayerNorm(const Shape& shape, const LayerNormOptions& options) : shape_(shape), eps_(options.eps) {
  check(shape.rank() >= 1, "LayerNorm", "at least one dimension is normalised; the shape is {}", shape.str());
  check(eps_ >= 0, "LayerNorm", "eps is {}", eps_);
  if (!options.affine) return;
  add_affine(*this, shape, weight, &bias);
}

Tensor LayerNorm::forward(const Tensor& x) { return layer_norm(x, shape_, weight, bias, eps_); }

SumAndNorm LayerNorm::of_sum(const Tensor& x, const Tensor& residual, Where site) {
  SumAndNorm result;
  result.norm = call(
      x,
      [&](const Tensor& input) {
        const SumAndNorm both = add_layer_norm(input, residual, shape_, weight, bias, eps_);
        result.sum = both.sum;
        return both.norm;
      },
      site);
  return result;
}

RMSNorm::RMSNorm(std::int64_t width, const RMSNormOptions& options) : RMSNorm(Shape{width}, options) {}

RMSNorm::RMSNorm(const Shape& shape, const RMSNormOptions& options) : shape_(shape), eps_(options.eps) {
  check(shape.rank() >= 1, "RMSNorm", "at least one dimension is normalised; the shape is {}", shape.str());
  check(eps_.value_or(0) >= 0, "RMSNorm", "eps is {}", eps_.value_or(0));
  if (options.affine) add_affine(*this, shape, weight, nullptr);
}

Tensor RMSNorm::forward(const Tensor& x) { return rms_norm(x, shape_, weight, eps_); }

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options)
    : groups_(groups), eps_(options.eps) {
  check_channels("GroupNorm", channels, eps_);
  check(groups >= 1 && channels % groups == 0, "GroupNorm", "{} groups do not divide {} channels", groups, channels);
  if (options.affine) add_affine(*this, {channels}, weight, &bias);
}

Tensor GroupNorm::forward(const Tensor& x) { return group_norm(x, groups_, weight, bias, eps_); }

InstanceNorm1d::InstanceNorm1d(const char* name, int sizes, std::int64_t channels, const InstanceNormOptions& options)
    : name_(name), sizes_(sizes), channels_(channels), eps_(options.eps) {
  check_channels(name, channels, eps_);
  if (options.affine) add_affine(*this, {channels}, weight, &bias);
}

InstanceNorm1d::InstanceNorm1d(std::int64_t channels, const InstanceNormOptions& options)
    : InstanceNorm1d("InstanceNorm1d", 1, channels, options) {}

InstanceNorm2d::InstanceNorm2d(std::int64_t channels, const InstanceNormOptions& options)
    : InstanceNorm1d("InstanceNorm2d", 2, channels, options) {}

Tensor InstanceNorm1d::forward(const Tensor& x) {
  check((x.rank() == sizes_ + 1 || x.rank() == sizes_ + 2) && x.size(-sizes_ - 1) == channels_, name_,
        "x must be (B, {0}, {1}) or ({0}, {1}): its shape is {2}", channels_, sizes_ == 1 ? "L" : "H, W",
        x.shape().str());
  if (x.rank() == sizes_ + 2) return instance_norm(x, weight, bias, eps_);
  return squeeze(instance_norm(unsqueeze(x, 0), weight, bias, eps_), 0);
}

BatchNorm1d::BatchNorm1d(const char* name, int least, int most, std::int64_t channels, const BatchNormOptions& options)
    : name_(name), least_(least), most_(most), channels_(channels), options_(options) {
  check_channels(name, channels, options.eps);
  const double momentum = options.momentum.value_or(0);
  check(momentum >= 0 && momentum <= 1, name, "momentum must be in [0, 1]: {}", momentum);
  if (options.affine) add_affine(*this, {channels}, weight, &bias);
  if (!options.track_running_stats) return;
  running_mean = zeros({channels});
  running_var = ones({channels});
  num_batches_tracked = Tensor::scalar(0, i64);
  add_buffer("running_mean", running_mean);
  add_buffer("running_var", running_var);
  add_buffer("num_batches_tracked", num_batches_tracked);
}

BatchNorm1d::BatchNorm1d(std::int64_t channels, const BatchNormOptions& options)
    : BatchNorm1d("BatchNorm1d", 2, 3, channels, options) {}

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNormOptions& options)
    : BatchNorm1d("BatchNorm2d", 4, 4, channels, options) {}

Tensor BatchNorm1d::forward(const Tensor& x) {
  check(x.rank() >= least_ && x.rank() <= most_ && x.size(1) == channels_, name_,
        "x must be {}, of {} channels: its shape is {}", most_ == 4 ? "(B, C, H, W)" : "(B, C) or (B, C, L)", channels_,
        x.shape().str());
  const bool tracked = running_mean.defined();
  double momentum = options_.momentum.value_or(0);
  if (training() && tracked) {
    const double batches = num_batches_tracked.item<double>() + 1;
    num_batches_tracked.fill(batches);
    if (!options_.momentum) momentum = 1 / batches;
  }
  return batch_norm(x, running_mean, running_var, weight, bias, training() || !tracked, momentum, options_.eps);
}

}  // namespace ff::nn
