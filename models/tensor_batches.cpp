#include "ff/models/tensor_batches.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

constexpr const char* op = "tensor_batches";

// rows[begin .. begin + n) of x, which is dense.
Tensor gathered(const Tensor& x, const std::vector<std::int64_t>& rows, std::int64_t begin, std::int64_t n) {
  Shape shape = x.shape();
  shape[0] = n;
  const Tensor out = Tensor::empty(shape, x.dtype());
  const std::size_t bytes = static_cast<std::size_t>(shape.numel() / n) * size_of(x.dtype());
  const auto* from = static_cast<const char*>(x.raw());
  auto* to = static_cast<char*>(out.raw());
  for (std::int64_t i = begin; i < begin + n; ++i, to += bytes)
    std::memcpy(to, from + static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]) * bytes, bytes);
  return out;
}

}  // namespace

TensorBatches::TensorBatches(const Tensor& inputs, const Tensor& targets, const TensorBatchesOptions& options)
    : inputs_(inputs.detach().dense()), targets_(targets.detach().dense()), options_(options) {
  check(inputs_.rank() >= 1 && targets_.rank() >= 1 && inputs_.size(0) == targets_.size(0), op,
        "as many inputs as targets are needed; their shapes are {} and {}", inputs_.shape().str(),
        targets_.shape().str());
  check(options.batch_size >= 1, op, "the batch size must be at least 1, got {}", options.batch_size);
  const std::int64_t least = options.shuffle ? options.batch_size : 1;
  check(inputs_.size(0) >= least, op, "{} samples do not make a batch of {}", inputs_.size(0), least);
}

std::int64_t TensorBatches::batches_per_epoch() const {
  const std::int64_t n = inputs_.size(0), size = options_.batch_size;
  return options_.shuffle ? n / size : (n + size - 1) / size;
}

// The one of the latest epoch asked for is kept.
TensorBatches::Order TensorBatches::order_of(std::int64_t epoch) {
  if (!options_.shuffle) epoch = 0;
  const std::lock_guard lock(mutex_);
  if (ordered_epoch_ != epoch) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(inputs_.size(0)));
    std::iota(order.begin(), order.end(), 0);
    if (options_.shuffle)
      order = random_permutation(inputs_.size(0), data_key(options_.seed, DataStream::order, epoch));
    order_ = std::make_shared<const std::vector<std::int64_t>>(std::move(order));
    ordered_epoch_ = epoch;
  }
  return order_;
}

Batch TensorBatches::make(DataPosition position) {
  check(position.batch >= 0 && position.batch < batches_per_epoch(), op, "no batch {} of {}", position.batch,
        batches_per_epoch());
  const Order order = order_of(position.epoch);
  const std::int64_t begin = position.batch * options_.batch_size;
  const std::int64_t n = std::min(options_.batch_size, inputs_.size(0) - begin);
  return {gathered(inputs_, *order, begin, n), gathered(targets_, *order, begin, n), n};
}

}  // namespace ff::models
