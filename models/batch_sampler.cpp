#include "ff/models/batch_sampler.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {

BatchSampler::BatchSampler(const char* op, std::int64_t n, const BatchSamplerOptions& options)
    : op_(op), n_(n), options_(options) {
  check(options_.batch_size >= 1, op_, "the batch size must be at least 1, got {}", options_.batch_size);
  check(options_.repeats >= 1, op_, "a sample comes at least once, got {}", options_.repeats);
  const std::int64_t least = options_.shuffle ? options_.batch_size : 1;
  check(n_ >= least, op_, "{} samples do not make a batch of {}", n_, least);
}

std::int64_t BatchSampler::batches_per_epoch() const {
  return options_.shuffle ? n_ / options_.batch_size : (n_ + options_.batch_size - 1) / options_.batch_size;
}

BatchSampler::Order BatchSampler::order(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  EpochOrder& kept = orders_[static_cast<std::size_t>(epoch % 2)];
  if (kept.epoch != epoch)
    kept = {epoch, std::make_shared<const std::vector<std::int64_t>>(
                       random_permutation(n_, data_key(options_.seed, DataStream::order, epoch)))};
  return kept.order;
}

std::vector<std::int64_t> BatchSampler::samples(DataPosition position) {
  check(position.batch >= 0 && position.batch < batches_per_epoch(), op_, "no batch {} of {}", position.batch,
        batches_per_epoch());
  const std::int64_t begin = position.batch * options_.batch_size, end = std::min(begin + options_.batch_size, n_);
  const Order shuffled = options_.shuffle ? order(position.epoch) : nullptr;
  std::vector<std::int64_t> samples;
  samples.reserve(static_cast<std::size_t>(end - begin));
  for (std::int64_t place = begin; place < end; ++place) {
    const std::int64_t i = place / options_.repeats;
    samples.push_back(shuffled ? (*shuffled)[static_cast<std::size_t>(i)] : i);
  }
  return samples;
}

}  // namespace ff::models
