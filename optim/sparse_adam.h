#pragma once

#include <array>

#include "ff/optim/optimizer.h"

namespace ff::optim {

struct SparseAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};
  double eps = 1e-8;
};

/// Adam for large tables of which a step touches few rows, lazy as PyTorch's SparseAdam: rows of a parameter (entries
/// along its first dimension) whose gradient is zero throughout stay as they are, and so do their moments. Gradients
/// are dense tensors all the same; where it is known which rows may be other than zero (nn::EmbeddingOptions::sparse,
/// keep_sparse_gradient()), no others are looked at. Where every row is touched in every step, this is Adam to the last
/// bit. Where not, it differs: Adam goes on moving a row by the momentum it has gathered, and lets its moments decay;
/// here they wait, so that a row that is seen again after k steps remembers its last gradient as if it had come a step
/// ago, and moves about as if it were trained with fewer, equally large steps. There is no weight decay.
class SparseAdam : public Optimizer {
 public:
  explicit SparseAdam(const NamedTensors& parameters, const SparseAdamOptions& options = {});
  /// Throws Error where a group has weight decay.
  explicit SparseAdam(std::vector<ParamGroup> groups, const SparseAdamOptions& options = {});

 private:
  void update(const Update& target, std::int64_t begin, std::int64_t end) const override;

  SparseAdamOptions options_;
};

}  // namespace ff::optim
