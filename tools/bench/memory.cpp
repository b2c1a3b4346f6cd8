// What the machine's memory can do, which memory-bound ops are held against: memcpy of 256 MiB, on one thread and on
// all, and of 16 MiB, which caches may hold; a byte counts twice, as read and as written. And what a tensor's memory
// costs: 64 MiB of the allocator's cache, and some that the system must make, the first touch included. And how far
// apart two cores are: a word that is handed over and back a thousand times.

#include <atomic>
#include <cstring>
#include <memory>
#include <thread>

#include <sched.h>

#include "ff/core/cores.h"

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

// Keeps the calling thread on one core.
class OnCore {
 public:
  explicit OnCore(int core) {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(core), &set);
    sched_setaffinity(0, sizeof set, &set);
  }
  ~OnCore() { sched_setaffinity(0, sizeof before_, &before_); }
  OnCore(const OnCore&) = delete;
  OnCore& operator=(const OnCore&) = delete;

 private:
  cpu_set_t before_;
};

// Cores that share a cache are a quarter as far apart as those that do not; a virtual machine's may do either, by
// turns.
void core_to_core(benchmark::State& state) {
  const std::vector<int> cores = allowed_cpus();
  if (cores.size() < 2) return state.SkipWithError("this takes two cores");
  std::atomic<std::int64_t> word{0};
  const std::jthread other([&](const std::stop_token& stop) {
    const OnCore second(cores[1]);
    while (!stop.stop_requested())
      if (const std::int64_t at = word.load(); at % 2 == 1) word.store(at + 1);
  });
  const OnCore first(cores[0]);
  for (auto _ : state)
    for (int round = 0; round < 1000; ++round) {
      const std::int64_t at = word.load() + 1;
      word.store(at);
      while (word.load() == at) {
      }
    }
}

BENCHMARK_CAPTURE(memory_copy, one_thread, large, large)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_copy, all_threads, large, mebibyte)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_copy, small, small, mebibyte)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_block, cached, true)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(memory_block, fresh, false)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(core_to_core)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
