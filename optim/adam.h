#pragma once

#include <array>

#include "ff/optim/optimizer.h"

namespace ff::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
};

/// Adam (Kingma and Ba 2015), as PyTorch's: p -= lr m' / (sqrt(v') + eps), m' and v' the running means of the gradient
/// and its square, corrected for their start at zero. Weight decay is added to the gradient.
class Adam : public Optimizer {
 public:
  explicit Adam(const NamedTensors& parameters, const AdamOptions& options = {});
  explicit Adam(std::vector<ParamGroup> groups, const AdamOptions& options = {});

 protected:
  Adam(std::vector<ParamGroup> groups, const AdamOptions& options, bool decoupled);

 private:
  void update(const Update& target, std::int64_t begin, std::int64_t end) const override;

  AdamOptions options_;
  bool decoupled_;
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0.01;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), as PyTorch's: p *= 1 - lr weight_decay before the
/// step.
class AdamW : public Adam {
 public:
  explicit AdamW(const NamedTensors& parameters, const AdamWOptions& options = {});
  explicit AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options = {});
};

}  // namespace ff::optim
