#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

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
  /// The batch at a position, batch < batches_per_epoch(). Called from several threads at once, in any order.
  virtual Batch make(DataPosition position) = 0;
};

struct DataLoaderOptions {
  DataPosition start{};        ///< of the first batch
  std::int64_t end_epoch = 0;  ///< epoch to stop before; 0: never stop
  int ahead = 2;               ///< batches begun before they are asked for; at least one a worker
  int workers = 1;             ///< threads that make batches
};

/// Threads that make batches where making one is work: half as many as compute, from 1 to 8. More would take the cores
/// from the model.
int default_workers();

/// Hands out the batches of a source in order, epoch after epoch, made ahead by threads of its own. Which they are
/// depends neither on timing nor on the number of threads.
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
  // A batch, or what came in its place.
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };

  void work(const std::stop_token& stop);
  Made make(DataPosition at) const;
  DataPosition after(DataPosition position) const;
  bool ended(DataPosition position) const { return end_epoch_ != 0 && position.epoch >= end_epoch_; }

  std::shared_ptr<BatchSource> source_;
  std::int64_t batches_;  // per epoch
  std::int64_t end_epoch_, ahead_;
  DataPosition position_;  // of the consumer

  std::mutex mutex_;
  std::condition_variable_any changed_;
  DataPosition next_;                   // of the next batch to be begun
  std::int64_t begun_ = 0, taken_ = 0;  // how many batches, which also numbers them
  std::map<std::int64_t, Made> made_;   // by number
  bool failed_ = false;                 // nothing more is begun

  std::vector<std::jthread> workers_;  // last: they are to end before what they use
};

/// The batches of a source for training, in order, epoch after epoch, from any of them on.
class BatchStream {
 public:
  BatchStream() = default;  ///< of nothing: for a task that is for evaluation
  /// workers: see DataLoaderOptions.
  explicit BatchStream(std::shared_ptr<BatchSource> source, int workers = 1)
      : source_(std::move(source)), workers_(workers) {}

  std::int64_t batches_per_epoch() const { return source().batches_per_epoch(); }
  /// Has next() go on with that batch, counted from 0 over all epochs.
  void seek(std::int64_t batch);
  /// The next batch; the first where there was no seek().
  Batch next();

 private:
  BatchSource& source() const;

  std::shared_ptr<BatchSource> source_;
  int workers_ = 1;
  std::unique_ptr<DataLoader> loader_;
};

}  // namespace ff::models
