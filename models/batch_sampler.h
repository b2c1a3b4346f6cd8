#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "ff/models/data_loader.h"

namespace ff::models {

struct BatchSamplerOptions {
  std::int64_t batch_size = 32;
  bool shuffle = false;      ///< every epoch in another order, full batches alone; else in order, all of them
  std::uint64_t seed = 1;    ///< of the orders
  std::int64_t repeats = 1;  ///< how often a sample comes in a row; an epoch goes through as many fewer
};

/// Which samples make a batch, of those that a BatchSource has.
class BatchSampler {
 public:
  /// Throws Error("[op] ..") where there is not one batch of n samples.
  BatchSampler(const char* op, std::int64_t n, const BatchSamplerOptions& options);

  std::int64_t batches_per_epoch() const;
  /// The samples of a batch, position.batch < batches_per_epoch(), or it throws Error. They depend on the position and
  /// the seed alone; may be called from several threads at once.
  std::vector<std::int64_t> samples(DataPosition position);

 private:
  using Order = std::shared_ptr<const std::vector<std::int64_t>>;
  Order order(std::int64_t epoch);

  const char* op_;
  std::int64_t n_;
  BatchSamplerOptions options_;

  // Of the two latest epochs: near the end of one, batches of both are made.
  struct EpochOrder {
    std::int64_t epoch = -1;
    Order order;
  };
  std::mutex mutex_;
  std::array<EpochOrder, 2> orders_;
};

}  // namespace ff::models
