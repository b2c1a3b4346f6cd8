#include "ff/models/data_loader.h"

#include "ff/autograd/profiler.h"
#include "ff/core/check.h"

namespace ff::models {

DataLoader::DataLoader(std::shared_ptr<BatchSource> source, const DataLoaderOptions& options)
    : source_(std::move(source)), options_(options), batches_(source_->batches_per_epoch()), position_(options.start) {
  check(batches_ > 0, "data_loader", "the data make no batch");
  check(position_.epoch >= 0 && position_.batch >= 0 && position_.batch <= batches_, "data_loader",
        "no position of this data: epoch {}, batch {} of {}", position_.epoch, position_.batch, batches_);
  check(options_.ahead >= 1, "data_loader", "at least one batch must be made ahead, got {}", options_.ahead);
  if (position_.batch == batches_) position_ = {position_.epoch + 1, 0};
  options_.start = position_;
  producer_ = std::jthread([this](const std::stop_token& stop) { produce(stop); });
}

DataLoader::~DataLoader() = default;

DataPosition DataLoader::after(DataPosition position) const {
  return position.batch + 1 < batches_ ? DataPosition{position.epoch, position.batch + 1}
                                       : DataPosition{position.epoch + 1, 0};
}

void DataLoader::produce(const std::stop_token& stop) {
  const auto room = static_cast<std::size_t>(options_.ahead);
  std::exception_ptr error;
  try {
    for (DataPosition at = options_.start; options_.end_epoch == 0 || at.epoch < options_.end_epoch; at = after(at)) {
      if (stop.stop_requested()) return;
      Batch batch = [&] {
        const ProfileSpan span("make a batch");
        return source_->make(at);
      }();
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return ready_.size() < room; })) return;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  finished_ = true;
  changed_.notify_all();
}

std::optional<Batch> DataLoader::next() {
  const ProfileSpan span("wait for data");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty() || finished_; });
  if (ready_.empty()) {
    if (error_) std::rethrow_exception(error_);
    return std::nullopt;
  }
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  position_ = after(position_);
  changed_.notify_all();
  return batch;
}

}  // namespace ff::models
