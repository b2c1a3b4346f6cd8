// What the machine's memory can do, which memory-bound ops are held against: memcpy of 256 MiB, on one thread and on
// all, and of 16 MiB, which caches may hold; a byte counts twice, as read and as written. And what a tensor's memory
// costs: 64 MiB of the allocator's cache, and some that the system must make, the first touch included.

#include <cstring>
#include <memory>

#include "tools/bench/op_timing.h"

namespace {

using namespace ff;

constexpr std::int64_t mebibyte = std::int64_t{1} << 20, large = 256 * mebibyte, small = 16 * mebibyte;
constexpr std::int64_t block = 64 * mebibyte;  // more than malloc() keeps

void memory_copy(benchmark::State& state, std::int64_t bytes, std::int64_t grain) {
  const auto size = static_cast<std::size_t>(bytes);
  const auto from = std::make_unique<char[]>(size), to = std::make_unique<char[]>(size);
  std::memset(from.get(), 1, size);
  std::memset(to.get(), 1, size);
  for (auto _ : state)
    parallel_for(bytes, grain, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.get() + begin, from.get() + begin, static_cast<std::size_t>(end - begin));
    });
  bench::count_bytes(state, 2.0 * static_cast<double>(bytes));
}

void memory_block(benchmark::State& state, bool cached) {
  for (auto _ : state) {
    void* memory = allocate(block);
    for (std::int64_t i = 0; i < block; i += 4096) static_cast<char*>(memory)[i] = 1;
    deallocate(memory, block);
    if (!cached) empty_cache();
  }
}

BENCHMARK_CAPTURE(memory_copy, one_thread, large, large)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_copy, all_threads, large, mebibyte)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_copy, small, small, mebibyte)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_block, cached, true)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_block, fresh, false)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
