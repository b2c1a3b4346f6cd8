#include "ff/core/allocator.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include <unistd.h>

#include "ff/core/check.h"
#include "ff/core/cpu/backend.h"

namespace ff {
namespace {

constexpr std::size_t alignment = 64;

// Classes at every quarter of a power of two: at most 25 % of a block is wasted, and the sizes that recur from step to
// step meet their own blocks again.
std::size_t size_class(std::size_t bytes) {
  if (bytes <= 256) return (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  const std::size_t quarter = std::bit_floor(bytes - 1) / 4;
  return (bytes + quarter - 1) / quarter * quarter;
}

class Cache {
 public:
  void* take(std::size_t bytes) {
    const std::size_t size = size_class(bytes);
    std::lock_guard lock(mutex_);
    ++stats_.allocations;
    void* memory = pop(size);
    if (!memory) memory = std::aligned_alloc(alignment, size);
    if (!memory) {
      release_all();
      memory = std::aligned_alloc(alignment, size);
    }
    check(memory != nullptr, "allocate", "out of memory: {} bytes asked for, {} in use", bytes, stats_.in_use);
    stats_.in_use += size;
    stats_.peak_in_use = std::max(stats_.peak_in_use, stats_.in_use);
    return memory;
  }

  void give(void* memory, std::size_t bytes) noexcept {
    const std::size_t size = size_class(bytes);
    std::lock_guard lock(mutex_);
    stats_.in_use -= size;
    if (stats_.cached + size > limit_) {
      std::free(memory);
      return;
    }
    try {
      free_[size].push_back(memory);
      stats_.cached += size;
    } catch (...) {
      std::free(memory);
    }
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
  void* pop(std::size_t size) {
    auto found = free_.find(size);
    if (found == free_.end() || found->second.empty()) return nullptr;
    void* memory = found->second.back();
    found->second.pop_back();
    stats_.cached -= size;
    ++stats_.reused;
    return memory;
  }

  void release_all() {
    for (auto& [size, blocks] : free_)
      for (void* memory : blocks) std::free(memory);
    free_.clear();
    stats_.cached = 0;
  }

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;
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
