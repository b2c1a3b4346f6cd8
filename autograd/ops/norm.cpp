// Normalisation by channels and groups of them, as layer normalisation of rows; and by a norm.

#include "ff/autograd/ops/norm.h"

#include <cmath>
#include <limits>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// x (B, C, ..); the given tensors (C), or undefined.
void check_channels(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  kernels::check_floating(op, x);
  check(x.rank() >= 2 && x.size(1) > 0, op, "x must be (B, C, ..): its shape is {}", x.shape().str());
  for (const Tensor& parameter : {weight, bias})
    check(!parameter.defined() || (parameter.shape() == Shape{x.size(1)} && parameter.dtype() == x.dtype()), op,
          "weight and bias must have shape ({},) and dtype {}: {} {}", x.size(1), name(x.dtype()),
          parameter.defined() ? parameter.shape().str() : "", parameter.defined() ? name(parameter.dtype()) : "");
}

// A tensor (C) such that it broadcasts to x (B, C, ..).
Tensor by_channel(const Tensor& parameter, const Tensor& x) {
  Shape shape = Shape::filled(x.rank() - 1, 1);
  shape[0] = x.size(1);
  return reshape(parameter, shape);
}

Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor y = weight.defined() ? x * by_channel(weight, x) : x;
  return bias.defined() ? y + by_channel(bias, x) : y;
}

// Each of `rows` rows of equal length that x is made of, normalised.
Tensor normalised_rows(const Tensor& x, std::int64_t rows, double eps) {
  if (x.numel() == 0) return x;
  const std::int64_t n = x.numel() / rows;
  return layer_norm(reshape(x, {rows, n}), {n}, {}, {}, eps);
}

void update(const Tensor& running, const Tensor& now, double momentum) {
  if (running.defined()) running.assign(running * (1 - momentum) + now * momentum);
}

void check_running(const char* op, const Tensor& x, const Tensor& running, const char* what) {
  check(!running.defined() || (running.shape() == Shape{x.size(1)} && is_floating(running.dtype())), op,
        "{} must be floating, of shape ({},): {} {}", what, x.size(1), running.defined() ? running.shape().str() : "",
        running.defined() ? name(running.dtype()) : "");
}

// ||x||_p along dim, its gradient 0 where it is 0.
Tensor norm_along(const Tensor& x, double p, int dim) {
  if (std::isinf(p)) return max(abs(x), {dim}, true);
  if (p == 1) return sum(abs(x), {dim}, true);
  const Tensor sums = sum(p == 2 ? square(x) : pow(abs(x), p), {dim}, true), positive = gt(sums, 0.0);
  const Tensor safe = where(positive, sums, 1.0);
  return where(positive, p == 2 ? sqrt(safe) : pow(safe, 1 / p), 0.0);
}

}  // namespace

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps,
                  Where site) {
  const CallSite here(site);
  const char* op = "group_norm";
  check_channels(op, x, weight, bias);
  check(groups >= 1 && x.size(1) % groups == 0, op, "groups must divide the channels: {} groups, x {}", groups,
        x.shape().str());
  return affine(reshape(normalised_rows(x, x.size(0) * groups, eps), x.shape()), weight, bias);
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps, Where site) {
  const CallSite here(site);
  const char* op = "instance_norm";
  check_channels(op, x, weight, bias);
  check(x.rank() >= 3, op, "x must be (B, C, L) or (B, C, ..): its shape is {}", x.shape().str());
  const std::int64_t planes = x.size(0) * x.size(1);
  check(x.numel() != planes || planes == 0, op, "one entry a channel has no variance: x {}", x.shape().str());
  return affine(reshape(normalised_rows(x, planes, eps), x.shape()), weight, bias);
}

Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                  const Tensor& bias, bool training, double momentum, double eps, Where site) {
  const CallSite here(site);
  const char* op = "batch_norm";
  check_channels(op, x, weight, bias);
  check_running(op, x, running_mean, "running_mean");
  check_running(op, x, running_var, "running_var");
  check(running_mean.defined() == running_var.defined(), op, "running_mean and running_var go together");
  if (!training) {
    check(running_mean.defined(), op, "running_mean and running_var are needed except in training");
    Tensor scale = rsqrt(kernels::to(running_var, x.dtype()) + eps);
    if (weight.defined()) scale = scale * weight;
    Tensor shift = -(kernels::to(running_mean, x.dtype()) * scale);
    if (bias.defined()) shift = shift + bias;
    return affine(x, scale, shift);
  }
  const std::int64_t channels = x.size(1), n = x.numel() / channels;
  check(n > 1, op, "in training, more than one value a channel is needed: x {}", x.shape().str());
  const Tensor rows = reshape(transpose(x, 0, 1), {channels, n});
  {
    const NoGrad no_grad;
    if (running_mean.defined()) {
      update(running_mean, mean(rows, {1}), momentum);
      update(running_var, var(rows, {1}), momentum);
    }
  }
  Shape turned = x.shape();
  std::swap(turned[0], turned[1]);
  return affine(transpose(reshape(normalised_rows(rows, channels, eps), turned), 0, 1), weight, bias);
}

Tensor normalize(const Tensor& x, double p, int dim, double eps, Where site) {
  const CallSite here(site);
  const char* op = "normalize";
  kernels::check_floating(op, x);
  check(p > 0, op, "p must be larger than 0: {}", p);
  normalize_dim(op, dim, x.rank());
  if (x.numel() == 0) return clone(x);
  if (x.rank() == 0) return reshape(normalize(reshape(x, {1}), p, 0, eps), {});
  return x / maximum(norm_along(x, p, dim), eps);
}

std::vector<OpRecord> norm_ops() {
  using Inputs = std::vector<Tensor>;
  using Samples = std::vector<OpSample>;
  auto running = [](const Tensor& x, double value) { return full({x.size(1)}, value, {.dtype = x.dtype()}); };
  return {{"group_norm", true,
           [](Sampler& s) {
             return Samples{
                 {"affine",
                  {s.normal({2, 4, 3}), s.normal({4}), s.normal({4})},
                  [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[2]); }},
                 {"plain, one group",
                  {s.normal({2, 2, 2, 2})},
                  [](const Inputs& in) { return group_norm(in[0], 1, {}, {}, 0.1); }},
                 {"no pixels",
                  {s.normal({2, 2, 0}), s.normal({2})},
                  [](const Inputs& in) { return group_norm(in[0], 2, in[1]); }},
                 {"no images", {s.normal({0, 2, 2})}, [](const Inputs& in) { return group_norm(in[0], 2); }}};
           }},
          {"instance_norm", true,
           [](Sampler& s) {
             return Samples{{"affine",
                             {s.normal({2, 2, 2, 2}), s.normal({2}), s.normal({2})},
                             [](const Inputs& in) { return instance_norm(in[0], in[1], in[2]); }},
                            {"plain", {s.normal({1, 2, 4})}, [](const Inputs& in) { return instance_norm(in[0]); }}};
           }},
          {"batch_norm", true,
           [=](Sampler& s) {
             return Samples{{"training, affine",
                             {s.normal({3, 2, 2}), s.normal({2}), s.normal({2})},
                             [=](const Inputs& in) {
                               return batch_norm(in[0], running(in[0], 0), running(in[0], 1), in[1], in[2], true);
                             }},
                            {"training, no running statistics",
                             {s.normal({5, 3})},
                             [](const Inputs& in) { return batch_norm(in[0], {}, {}, {}, {}, true, 0.1, 0.01); }},
                            {"evaluation",
                             {s.normal({2, 2, 1, 2}), s.normal({2}), s.normal({2})},
                             [=](const Inputs& in) {
                               return batch_norm(in[0], running(in[0], 0.3), running(in[0], 1.7), in[1], in[2]);
                             }},
                            {"evaluation, plain, no images", {s.normal({0, 2, 2})}, [=](const Inputs& in) {
                               return batch_norm(in[0], running(in[0], 0.3), running(in[0], 1.7));
                             }}};
           }},
          {"normalize", true, [](Sampler& s) {
             auto sample = [&](const char* label, const Shape& shape, double p, int dim) {
               return OpSample{label, {s.distinct(shape)}, [=](const Inputs& in) { return normalize(in[0], p, dim); }};
             };
             return Samples{sample("euclidean", {2, 3, 2}, 2, 1),
                            sample("sum", {3, 2}, 1, 0),
                            sample("cubic", {2, 3}, 3, -1),
                            sample("largest", {2, 3}, std::numeric_limits<double>::infinity(), -1),
                            sample("scalar", {}, 2, 0),
                            sample("empty", {2, 0}, 2, 1)};
           }}};
}

}  // namespace ff
