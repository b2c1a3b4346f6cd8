#pragma once

#include <array>

#include "ff/nn/module.h"

namespace ff::nn {

struct Conv1dOptions {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
  bool bias = true;
};
struct Conv2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};  ///< down, across
  std::int64_t groups = 1;
  bool bias = true;
};

/// Cross-correlation of x (B, in, L) with weight (out, in / groups, l), plus bias (out): see ff::conv1d. Both start
/// uniform in +-1 / sqrt(in / groups l), as PyTorch's.
class Conv1d : public Module {
 public:
  Conv1d(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv1dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without

 private:
  Conv1dOptions options_;
};

/// Cross-correlation of x (B, in, H, W) with weight (out, in / groups, h, w), plus bias (out): see ff::conv2d. Both
/// start uniform in +-1 / sqrt(in / groups h w), as PyTorch's.
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel, const Conv2dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without

 private:
  Conv2dOptions options_;
};

struct ConvTranspose1dOptions {
  std::int64_t stride = 1, padding = 0, output_padding = 0, groups = 1;
  bool bias = true;
  std::int64_t dilation = 1;
};
struct ConvTranspose2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, output_padding{0, 0};  ///< down, across
  std::int64_t groups = 1;
  bool bias = true;
  std::array<std::int64_t, 2> dilation{1, 1};
};

/// The adjoint of a Conv1d from out to in channels, plus bias (out): weight (in, out / groups, l), see
/// ff::conv_transpose1d. Both start uniform in +-1 / sqrt(out / groups l), as PyTorch's.
class ConvTranspose1d : public Module {
 public:
  ConvTranspose1d(std::int64_t in, std::int64_t out, std::int64_t kernel, const ConvTranspose1dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without

 private:
  ConvTranspose1dOptions options_;
};

/// The adjoint of a Conv2d from out to in channels, plus bias (out): weight (in, out / groups, h, w), see
/// ff::conv_transpose2d. Both start uniform in +-1 / sqrt(out / groups h w), as PyTorch's.
class ConvTranspose2d : public Module {
 public:
  ConvTranspose2d(std::int64_t in, std::int64_t out, std::array<std::int64_t, 2> kernel,
                  const ConvTranspose2dOptions& options = {});
  Tensor forward(const Tensor& x) override;

  Tensor weight;
  Tensor bias;  ///< undefined without

 private:
  ConvTranspose2dOptions options_;
};

}  // namespace ff::nn
