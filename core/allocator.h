#pragma once

#include <cstddef>
#include <cstdint>

namespace ff {

/// What the caching allocator has done since the program began, in bytes and calls.
struct MemoryStats {
  std::size_t in_use = 0;       ///< handed out and not yet given back
  std::size_t peak_in_use = 0;  ///< the most in_use has been
  std::size_t cached = 0;       ///< given back and kept for reuse
  std::uint64_t allocations = 0, reused = 0;
};

/// 64-byte aligned memory of at least bytes bytes, its contents undefined; from the cache where a block of its size
/// class is free, since a fresh page costs more than the arithmetic done on it. Throws Error when there is no memory.
void* allocate(std::size_t bytes);

/// Gives back what allocate(bytes) returned. Kept for reuse as long as the cache is within its bound.
void deallocate(void* memory, std::size_t bytes) noexcept;

/// allocate() for containers of the standard library.
template <class T>
struct CachingAllocator {
  using value_type = T;

  CachingAllocator() = default;
  template <class U>
  CachingAllocator(const CachingAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(ff::allocate(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { ff::deallocate(memory, n * sizeof(T)); }
  bool operator==(const CachingAllocator&) const = default;
};

MemoryStats memory_stats();

/// Returns all cached memory to the system.
void empty_cache();

/// The most memory kept for reuse; default a quarter of the machine's memory.
void set_cache_limit(std::size_t bytes);

}  // namespace ff
