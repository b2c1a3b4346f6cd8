#pragma once

#include "ff/core/tensor.h"

namespace ff::nn {

/// The keys and values of the positions that an attention has seen, so that the next ones need not compute them again.
/// It has memory for a number of positions from the beginning; what is in it are views of its first ones. A copy is
/// another handle on the same memory.
class KeyValueCache {
 public:
  /// Empty, with room for `capacity` keys and values (B, H, capacity, D). Throws Error where a size is not positive, or
  /// dtype not floating.
  KeyValueCache(std::int64_t batch, std::int64_t heads, std::int64_t capacity, std::int64_t features,
                DType dtype = f32);

  std::int64_t length() const { return length_; }  ///< positions in it
  std::int64_t capacity() const { return keys_.size(2); }
  Tensor keys() const;  ///< (B, H, length, D), a view
  Tensor values() const;

  /// Adds keys and values (B, H, N, D) behind those in it. Throws Error where they have another shape or dtype, or
  /// there is no room for N more; nothing has changed then. Unknown to autograd.
  void append(const Tensor& keys, const Tensor& values);
  /// Forgets all but the first `length` positions. Throws Error where there are fewer.
  void truncate(std::int64_t length);

 private:
  Tensor keys_, values_;
  std::int64_t length_ = 0;
};

}  // namespace ff::nn
