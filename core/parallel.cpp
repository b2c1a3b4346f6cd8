#include "ff/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "ff/core/check.h"
#include "ff/core/cores.h"

namespace ff {
namespace {

std::mutex arena_mutex;
std::shared_ptr<tbb::task_arena> arena;      // made on first use
std::unique_ptr<tbb::global_control> limit;  // only to have more threads than TBB's own: a caller's are not to be fewer
std::atomic<int> threads{0};                 // 0: not yet set
thread_local bool inside = false;            // running a body of parallel_for

struct InsideScope {
  bool outer = std::exchange(inside, true);
  ~InsideScope() { inside = outer; }
};

#ifndef __SANITIZE_THREAD__
std::shared_ptr<tbb::task_arena> get_arena() {
  std::lock_guard lock(arena_mutex);
  if (!arena) arena = std::make_shared<tbb::task_arena>(num_threads());
  return arena;
}

// Calls run(chunk) for each chunk on the library's threads.
template <class Run>
void run_chunks(std::int64_t chunks, const Run& run) {
  get_arena()->execute([&] {
    tbb::parallel_for(std::int64_t{0}, chunks, [&](std::int64_t chunk) {
      InsideScope scope;
      run(chunk);
    });
  });
}
#else
// ThreadSanitizer does not see what TBB, which is not built with it, does to keep threads apart: it would find a race in
// all that bodies share with their caller. These threads it knows.
template <class Run>
void run_chunks(std::int64_t chunks, const Run& run) {
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;  // of the exception
  std::exception_ptr first;
  auto work = [&] {
    InsideScope scope;
    try {
      for (std::int64_t chunk = next++; chunk < chunks; chunk = next++) run(chunk);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
      next = chunks;
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::int64_t i = 1; i < std::min<std::int64_t>(num_threads(), chunks); ++i) others.emplace_back(work);
    work();
  }
  if (first) std::rethrow_exception(first);
}
#endif

}  // namespace

void set_num_threads(int n) {
  check(n >= 1, "set_num_threads", "at least one thread is needed: {}", n);
  std::lock_guard lock(arena_mutex);
  threads = n;
  arena.reset();
  limit.reset();
  if (n > tbb::info::default_concurrency())
    limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                  static_cast<std::size_t>(n));
}

int num_threads() {
  static const int cores = usable_cores(allowed_cpus());
  const int n = threads.load();
  return n > 0 ? n : cores;
}

void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body) {
  const std::int64_t chunks = num_chunks(n, grain);
  auto run = [&](std::int64_t chunk) { body(chunk * grain, std::min(n, (chunk + 1) * grain)); };
  if (chunks <= 1 || inside || num_threads() == 1) {
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) run(chunk);
    return;
  }
  run_chunks(chunks, run);
}

}  // namespace ff
