#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ff/core/allocator.h"

namespace ff::cpu {

/// Working memory of a kernel: n numbers, 64-byte aligned, undefined until written, from the caching allocator.
template <class T>
class Scratch {
  static_assert(std::is_trivial_v<T>);

 public:
  explicit Scratch(std::int64_t n)
      : size_(n), data_(n > 0 ? static_cast<T*>(allocate(static_cast<std::size_t>(n) * sizeof(T))) : nullptr) {}
  Scratch(std::int64_t n, T value) : Scratch(n) { std::fill_n(data_, n, value); }
  ~Scratch() {
    if (data_) deallocate(data_, static_cast<std::size_t>(size_) * sizeof(T));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  T* data() const { return data_; }
  T& operator[](std::int64_t i) const { return data_[i]; }
  std::int64_t size() const { return size_; }

 private:
  std::int64_t size_;
  T* data_;
};

}  // namespace ff::cpu
