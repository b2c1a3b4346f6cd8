#pragma once

#include "ff/models/batch_sampler.h"

namespace ff::models {

/// Batches of samples that lie in memory: rows of inputs (n, ..) with the rows of targets (n, ..), of any dtypes.
class TensorBatches : public BatchSource {
 public:
  /// Throws Error where the numbers of rows differ, or there is not one batch of them.
  TensorBatches(const Tensor& inputs, const Tensor& targets, const BatchSamplerOptions& options = {});

  std::int64_t batches_per_epoch() const override { return sampler_.batches_per_epoch(); }
  Batch make(DataPosition position) override;

 private:
  Tensor inputs_, targets_;
  BatchSampler sampler_;
};

}  // namespace ff::models
