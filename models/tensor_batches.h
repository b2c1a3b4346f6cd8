#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "ff/models/data_loader.h"

namespace ff::models {

struct TensorBatchesOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;    ///< every epoch in another order, full batches alone; else in order, all of them
  std::uint64_t seed = 1;  ///< of the orders
};

/// Batches of samples that lie in memory: rows of inputs (n, ..) with the rows of targets (n, ..), of any dtypes.
class TensorBatches : public BatchSource {
 public:
  /// Throws Error where the numbers of rows differ, or there is not one batch of them.
  TensorBatches(const Tensor& inputs, const Tensor& targets, const TensorBatchesOptions& options = {});

  std::int64_t batches_per_epoch() const override;
  Batch make(DataPosition position) override;

 private:
  using Order = std::shared_ptr<const std::vector<std::int64_t>>;
  Order order_of(std::int64_t epoch);

  Tensor inputs_, targets_;
  TensorBatchesOptions options_;
  std::mutex mutex_;  // of what follows
  Order order_;
  std::int64_t ordered_epoch_ = -1;
};

}  // namespace ff::models
