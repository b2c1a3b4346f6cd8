#pragma once

#include "ff/nn/module.h"

namespace ff::nn {

/// In training, each element 0 with probability p, else times 1 / (1 - p); otherwise x itself. 0 <= p < 1.
class Dropout : public Module {
 public:
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

/// In training, each channel of x (B, C, ..) 0 with probability p, else times 1 / (1 - p); otherwise x itself. 0 <= p <
/// 1.
class Dropout2d : public Module {
 public:
  explicit Dropout2d(double p = 0.5);
  Tensor forward(const Tensor& x) override;

 private:
  double p_;
};

/// Stochastic depth (Huang et al. 2016): in training, each sample (entry of dimension 0) of a residual branch 0 with
/// probability p, else times 1 / (1 - p); otherwise x itself. 0 <= p < 1.
class DropPath : public Module {
 public:
  explicit DropPath(double p = 0);
  Tensor forward(const Tensor& x) override;
  /// residual + x with samples dropped, in one pass: ff::drop_path_add. Hooks see x and the sum.
  Tensor add_to(const Tensor& residual, const Tensor& x, Where site = {});

 private:
  double p_;
};

}  // namespace ff::nn
