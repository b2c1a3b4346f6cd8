#include "ff/core/allocator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include <unistd.h>

#include "ff/core/check.h"
#include "ff/core/cpu/backend.h"

namespace ff {
namespace {

constexpr std::size_t alignment = 64;

// Classes at every quarter of a power of two: at most 25 % of a block is wasted, and the sizes that recur from step to
// step meet their own blocks again. Up to 256 bytes they are 64 bytes apart.
struct SizeClass {
  std::size_t index, bytes;

  explicit SizeClass(std::size_t wanted) {
    if (wanted <= 256) {
      index = (std::max<std::size_t>(wanted, 1) - 1) / alignment;
      bytes = (index + 1) * alignment;
    } else {
      const std::size_t power = std::bit_floor(wanted - 1), quarters = (wanted - 1) / (power / 4) + 1;  // 5 to 8
      index = 4 * (static_cast<std::size_t>(std::countr_zero(power)) - 8) + quarters - 1;
      bytes = quarters * (power / 4);
    }
  }
};

constexpr std::size_t num_classes = 4 * (64 - 8) + 4;

// A free block, which holds the address of the next one of its class.
struct FreeBlock {
  FreeBlock* next;
};

class Cache {
 public:
  void* take(std::size_t bytes) {
    const SizeClass size(bytes);
    std::lock_guard lock(mutex_);
    ++stats_.allocations;
    void* memory = pop(size);
    if (!memory) memory = std::aligned_alloc(alignment, size.bytes);
    if (!memory) {
      release_all();
      memory = std::aligned_alloc(alignment, size.bytes);
    }
    check(memory != nullptr, "allocate", "out of memory: {} bytes asked for, {} in use", bytes, stats_.in_use);
    stats_.in_use += size.bytes;
    stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
    return memory;
  }

  void give(void* memory, std::size_t bytes) noexcept {
    const SizeClass size(bytes);
    std::lock_guard lock(mutex_);
    stats_.in_use -= size.bytes;
    if (stats_.cached + size.bytes > limit_) {
      std::free(memory);
      return;
    }
    free_[size.index] = new (memory) FreeBlock{free_[size.index]};
    stats_.cached += size.bytes;
  }

  MemoryStats stats() {
    std::lock_guard lock(mutex_);
    return stats_;
  }

  void clear() {
    std::lock_guard lock(mutex_);
    release_all();
  }

  void set_limit(std::size_t bytes) {
    std::lock_guard lock(mutex_);
    limit_ = bytes;
    if (stats_.cached > limit_) release_all();
  }

 private:
  void* pop(const SizeClass& size) {
    FreeBlock*& first = free_[size.index];
    if (!first) return nullptr;
    void* memory = first;
    first = first->next;
    stats_.cached -= size.bytes;
    ++stats_.reused;
    return memory;
  }

  void release_all() {
    for (FreeBlock*& first : free_)
      while (first) std::free(std::exchange(first, first->next));
    stats_.cached = 0;
  }

  std::mutex mutex_;
  std::array<FreeBlock*, num_classes> free_{};
  MemoryStats stats_;
  std::size_t limit_ =
      static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 4;
};

// Never destroyed: tensors of static storage may outlive any object of this file. Before there is memory for a tensor,
// the instruction set is chosen that kernels will run with.
Cache& cache() {
  static Cache* instance = (cpu::simd_target(), new Cache);
  return *instance;
}

}  // namespace

void* allocate(std::size_t bytes) { return cache().take(bytes); }
void deallocate(void* memory, std::size_t bytes) noexcept { cache().give(memory, bytes); }
MemoryStats memory_stats() { return cache().stats(); }
void empty_cache() { cache().clear(); }
void set_cache_limit(std::size_t bytes) { cache().set_limit(bytes); }

}  // namespace ff
