#include "ff/core/allocator.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <doctest/doctest.h>

using namespace ff;

TEST_CASE("allocator: aligned, reused, counted, bounded") {
  empty_cache();
  const MemoryStats before = memory_stats();
  void* a = allocate(1000);
  CHECK(reinterpret_cast<std::uintptr_t>(a) % 64 == 0);
  std::memset(a, 1, 1000);
  CHECK(memory_stats().in_use >= before.in_use + 1000);
  deallocate(a, 1000);
  CHECK(memory_stats().in_use == before.in_use);
  CHECK(memory_stats().cached >= 1000);
  void* b = allocate(1001);  // of the same class
  CHECK(b == a);
  CHECK(memory_stats().reused == before.reused + 1);
  deallocate(b, 1001);
  empty_cache();
  CHECK(memory_stats().cached == 0);
  void* none = allocate(0);
  CHECK(none != nullptr);
  deallocate(none, 0);
}

TEST_CASE("allocator: the cache keeps within its limit") {
  const std::size_t limit = 1 << 20;
  void *small = allocate(limit / 2), *large = allocate(2 * limit);
  set_cache_limit(limit);
  empty_cache();
  deallocate(large, 2 * limit);
  CHECK(memory_stats().cached == 0);
  deallocate(small, limit / 2);
  CHECK(memory_stats().cached >= limit / 2);
  set_cache_limit(0);
  CHECK(memory_stats().cached == 0);
  set_cache_limit(std::size_t{1} << 30);
}

TEST_CASE("allocator: every size fits its class") {
  for (std::size_t bytes = 1; bytes < 5000; bytes += 13) {
    void* p = allocate(bytes);
    std::memset(p, 0xab, bytes);
    deallocate(p, bytes);
  }
}

TEST_CASE("allocator: a block is at most a quarter, or 64 bytes, larger than asked, and counted as it is") {
  for (int power = 5; power < 26; ++power) {
    for (const int more : {-1, 0, 1, 1 << (power - 2), (1 << (power - 2)) + 1, 1 << (power - 1)}) {
      const auto bytes = static_cast<std::size_t>((1 << power) + more);
      empty_cache();
      const std::size_t before = memory_stats().in_use;
      void* p = allocate(bytes);
      const std::size_t size = memory_stats().in_use - before;
      CAPTURE(bytes);
      CHECK(size >= bytes);
      CHECK(size <= bytes + std::max<std::size_t>(bytes / 4, 64));
      CHECK(memory_stats().peak_in_use >= before + size);
      deallocate(p, bytes);
      CHECK(memory_stats().cached == size);
      CHECK(allocate(size) == p);  // the largest of its class
      CHECK(memory_stats().cached == 0);
      deallocate(p, size);
    }
  }
}
