#include "ff/nn/key_value_cache.h"

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::nn {
namespace {

constexpr const char* op = "KeyValueCache";

}  // namespace

KeyValueCache::KeyValueCache(std::int64_t batch, std::int64_t heads, std::int64_t capacity, std::int64_t features,
                             DType dtype) {
  check(batch > 0 && heads > 0 && capacity > 0 && features > 0, op,
        "(B, H, capacity, D) must be positive: ({}, {}, {}, {})", batch, heads, capacity, features);
  check(is_floating(dtype), op, "the dtype must be floating: {}", name(dtype));
  keys_ = Tensor::empty({batch, heads, capacity, features}, dtype);
  values_ = Tensor::empty(keys_.shape(), dtype);
}

Tensor KeyValueCache::keys() const { return narrow(keys_, 2, 0, length_); }
Tensor KeyValueCache::values() const { return narrow(values_, 2, 0, length_); }

void KeyValueCache::append(const Tensor& keys, const Tensor& values) {
  auto fits = [&](const Tensor& x) {
    return x.rank() == 4 && x.size(0) == keys_.size(0) && x.size(1) == keys_.size(1) && x.size(3) == keys_.size(3) &&
           x.size(2) == keys.size(2) && x.dtype() == keys_.dtype();
  };
  if (!fits(keys) || !fits(values))
    fail(op, "keys {} {} and values {} {} do not go into a cache (B, H, capacity, D) of {} {}", name(keys.dtype()),
         keys.shape().str(), name(values.dtype()), values.shape().str(), name(keys_.dtype()), keys_.shape().str());
  const std::int64_t added = keys.size(2);
  check(length_ + added <= capacity(), op, "{} positions and {} more are beyond its capacity of {}", length_, added,
        capacity());
  const NoGrad no_grad;
  narrow(keys_, 2, length_, added).assign(keys);
  narrow(values_, 2, length_, added).assign(values);
  length_ += added;
}

void KeyValueCache::truncate(std::int64_t length) {
  check(length >= 0 && length <= length_, op, "it holds {} positions, of which {} cannot be kept", length_, length);
  length_ = length;
}

}  // namespace ff::nn
