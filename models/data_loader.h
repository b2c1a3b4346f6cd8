#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ff/core/tensor.h"

namespace ff::models {

/// Samples that go through the model together.
struct Batch {
  Tensor inputs, targets;
  std::int64_t count = 0;  ///< targets that count, being none of cross_entropy()'s ignored ones
};

/// Where in the data a run is: all there is to the state of its order.
struct DataPosition {
  std::int64_t epoch = 0, batch = 0;
  bool operator==(const DataPosition&) const = default;
};

/// Makes batches. What a batch holds depends on its position alone, so that a run can be resumed at any.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual std::int64_t batches_per_epoch() const = 0;
  /// The batch at a position, batch < batches_per_epoch(). Called from one thread at a time.
  virtual Batch make(DataPosition position) = 0;
};

struct DataLoaderOptions {
  DataPosition start{};        ///< of the first batch
  std::int64_t end_epoch = 0;  ///< epoch to stop before; 0: never stop
  int ahead = 2;               ///< batches made before they are asked for
};

/// Hands out the batches of a source in order, epoch after epoch, made ahead by a thread of its own. Which they are
/// does not depend on timing.
class DataLoader {
 public:
  /// Throws Error where a source has no batch, or start is none of its positions.
  explicit DataLoader(std::shared_ptr<BatchSource> source, const DataLoaderOptions& options = {});
  ~DataLoader();
  DataLoader(const DataLoader&) = delete;
  DataLoader& operator=(const DataLoader&) = delete;

  /// The next batch; none after the last epoch. Rethrows what the source threw in making it, then and ever after.
  std::optional<Batch> next();
  /// Of the batch that next() will return: what to save, and to start from after.
  DataPosition position() const { return position_; }

 private:
  void produce(const std::stop_token& stop);
  DataPosition after(DataPosition position) const;

  std::shared_ptr<BatchSource> source_;
  DataLoaderOptions options_;
  std::int64_t batches_;   // per epoch
  DataPosition position_;  // of the consumer

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Batch> ready_;
  bool finished_ = false;
  std::exception_ptr error_;

  std::jthread producer_;  // last: it is to end before what it uses
};

}  // namespace ff::models
