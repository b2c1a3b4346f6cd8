#include "ff/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

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

std::shared_ptr<tbb::task_arena> get_arena() {
  std::lock_guard lock(arena_mutex);
  if (!arena) arena = std::make_shared<tbb::task_arena>(num_threads());
  return arena;
}

struct InsideScope {
  bool outer = std::exchange(inside, true);
  ~InsideScope() { inside = outer; }
};

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
  get_arena()->execute([&] {
    tbb::parallel_for(std::int64_t{0}, chunks, [&](std::int64_t chunk) {
      InsideScope scope;
      run(chunk);
    });
  });
}

}  // namespace ff
