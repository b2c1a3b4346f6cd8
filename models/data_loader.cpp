#include "ff/models/data_loader.h"

#include <algorithm>

#include "ff/autograd/profiler.h"
#include "ff/core/check.h"
#include "ff/core/parallel.h"

namespace ff::models {

int default_workers() { return std::clamp(num_threads() / 2, 1, 8); }

DataLoader::DataLoader(std::shared_ptr<BatchSource> source, const DataLoaderOptions& options)
    : source_(std::move(source)),
      batches_(source_->batches_per_epoch()),
      end_epoch_(options.end_epoch),
      ahead_(std::max(options.ahead, options.workers)),
      position_(options.start) {
  check(batches_ > 0, "data_loader", "the data make no batch");
  check(position_.epoch >= 0 && position_.batch >= 0 && position_.batch <= batches_, "data_loader",
        "no position of this data: epoch {}, batch {} of {}", position_.epoch, position_.batch, batches_);
  check(options.ahead >= 1, "data_loader", "at least one batch must be made ahead, got {}", options.ahead);
  check(options.workers >= 1, "data_loader", "at least one thread must make batches, got {}", options.workers);
  if (position_.batch == batches_) position_ = {position_.epoch + 1, 0};
  next_ = position_;
  for (int i = 0; i < options.workers; ++i) workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

// All are told before the first is waited for.
DataLoader::~DataLoader() {
  for (auto& worker : workers_) worker.request_stop();
}

DataPosition DataLoader::after(DataPosition position) const {
  return position.batch + 1 < batches_ ? DataPosition{position.epoch, position.batch + 1}
                                       : DataPosition{position.epoch + 1, 0};
}

DataLoader::Made DataLoader::make(DataPosition at) const {
  const ProfileSpan span("make a batch");
  try {
    return {source_->make(at), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

void DataLoader::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return failed_ || ended(next_) || begun_ - taken_ < ahead_; })) {
    if (failed_ || ended(next_) || stop.stop_requested()) return;
    const DataPosition at = next_;
    const std::int64_t number = begun_++;
    next_ = after(next_);
    lock.unlock();
    Made made = make(at);
    lock.lock();
    failed_ |= made.error != nullptr;
    made_.emplace(number, std::move(made));
    changed_.notify_all();
  }
}

std::optional<Batch> DataLoader::next() {
  if (ended(position_)) return std::nullopt;
  const ProfileSpan span("wait for data");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return made_.contains(taken_); });
  const auto first = made_.begin();
  if (first->second.error) std::rethrow_exception(first->second.error);
  Batch batch = std::move(first->second.batch);
  made_.erase(first);
  ++taken_;
  position_ = after(position_);
  changed_.notify_all();
  return batch;
}

BatchSource& BatchStream::source() const {
  internal_check(source_ != nullptr, "a task for evaluation was trained");
  return *source_;
}

void BatchStream::seek(std::int64_t batch) {
  const std::int64_t n = batches_per_epoch();
  const DataPosition start{.epoch = batch / n, .batch = batch % n};
  loader_ = std::make_unique<DataLoader>(source_, DataLoaderOptions{.start = start, .workers = workers_});
}

Batch BatchStream::next() {
  if (!loader_) seek(0);
  return loader_->next().value();
}

}  // namespace ff::models
