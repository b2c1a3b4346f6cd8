#pragma once

#include "ff/optim/optimizer.h"

namespace ff::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
};

/// Stochastic gradient descent, as PyTorch's: with d = grad + weight_decay p, momentum gathers b = momentum b +
/// (1 - dampening) d (b = d in the first step), and p -= lr b, or lr (d + momentum b) with Nesterov's.
class SGD : public Optimizer {
 public:
  explicit SGD(const NamedTensors& parameters, const SGDOptions& options = {});
  explicit SGD(std::vector<ParamGroup> groups, const SGDOptions& options = {});

 private:
  void update(const Update& target, std::int64_t begin, std::int64_t end) const override;

  SGDOptions options_;
};

}  // namespace ff::optim
