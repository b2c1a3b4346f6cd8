#pragma once

#include <optional>

#include "ff/autograd/ops/norm.h"
#include "ff/nn/module.h"

namespace ff::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< learn weight and bias
};

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, which must be `shape` (Ba, Kiros, Hinton
/// 2016). weight starts at 1, bias at 0.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(std::int64_t width, const LayerNormOptions& options = {});
  explicit LayerNorm(const Shape& shape, const LayerNormOptions& options = {});
  Tensor forward(const Tensor& x) override;
  /// x + residual and the norm of that in one pass: ff::add_layer_norm. Hooks see x and the norm.
  SumAndNorm of_sum(const Tensor& x, const Tensor& residual, Where site = {});

  Tensor weight, bias;  ///< undefined if not affine

 private:
  Shape shape_;
  double eps_;
};

struct RMSNormOptions {
  std::optional<double> eps{};  ///< default: the machine epsilon of x's dtype
  bool affine = true;           ///< learn weight
};

/// x / sqrt(mean(x^2) + eps) * weight over the last dimensions, which must be `shape`: see ff::rms_norm. weight starts
/// at 1.
class RMSNorm : public Module {
 public:
  explicit RMSNorm(std::int64_t width, const RMSNormOptions& options = {});
  explicit RMSNorm(const Shape& shape, const RMSNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;  ///< undefined if not affine

 private:
  Shape shape_;
  std::optional<double> eps_;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< learn weight and bias
};

/// x (B, channels, ..) normalised over each of `groups` groups of channels of an image: see ff::group_norm. weight
/// starts at 1, bias at 0.
class GroupNorm : public Module {
 public:
  GroupNorm(std::int64_t groups, std::int64_t channels, const GroupNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight, bias;  ///< (channels); undefined if not affine

 private:
  std::int64_t groups_;
  double eps_;
};

struct InstanceNormOptions {
  double eps = 1e-5;
  bool affine = false;  ///< learn weight and bias
};

/// x (B, channels, L) or (channels, L) normalised over each channel of an image: see ff::instance_norm. weight starts
/// at 1, bias at 0.
class InstanceNorm1d : public Module {
 public:
  explicit InstanceNorm1d(std::int64_t channels, const InstanceNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight, bias;  ///< (channels); undefined if not affine

 protected:
  InstanceNorm1d(const char* name, int sizes, std::int64_t channels, const InstanceNormOptions& options);

 private:
  const char* name_;
  int sizes_;  // dimensions of an image
  std::int64_t channels_;
  double eps_;
};

/// The same of x (B, channels, H, W) or (channels, H, W).
class InstanceNorm2d : public InstanceNorm1d {
 public:
  explicit InstanceNorm2d(std::int64_t channels, const InstanceNormOptions& options = {});
};

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< weight of a new batch in the running statistics; none: a plain average
  bool affine = true;                    ///< learn weight and bias
  bool track_running_stats = true;       ///< otherwise batches are normalised by themselves in evaluation, too
};

/// x (B, channels) or (B, channels, L) normalised over each channel of all images, in evaluation by running statistics:
/// see ff::batch_norm. weight starts at 1, bias at 0.
class BatchNorm1d : public Module {
 public:
  explicit BatchNorm1d(std::int64_t channels, const BatchNormOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight, bias;               ///< (channels); undefined if not affine
  Tensor running_mean, running_var;  ///< (channels), starting at 0 and 1; undefined if not tracked
  Tensor num_batches_tracked;        ///< (), i64; undefined if not tracked

 protected:
  BatchNorm1d(const char* name, int least, int most, std::int64_t channels, const BatchNormOptions& options);

 private:
  const char* name_;
  int least_, most_;  // ranks of x
  std::int64_t channels_;
  BatchNormOptions options_;
};

/// The same of x (B, channels, H, W).
class BatchNorm2d : public BatchNorm1d {
 public:
  explicit BatchNorm2d(std::int64_t channels, const BatchNormOptions& options = {});
};

}  // namespace ff::nn
