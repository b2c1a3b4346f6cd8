#include "ff/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "ff/core/error.h"

using namespace ff;

TEST_CASE("parallel_for: covers the range once, in pieces that do not depend on the threads") {
  const int before = num_threads();
  std::set<std::pair<std::int64_t, std::int64_t>> expected{{0, 10}, {10, 20}, {20, 25}};
  for (int threads : {1, 2, 4}) {
    set_num_threads(threads);
    std::mutex mutex;
    std::set<std::pair<std::int64_t, std::int64_t>> pieces;
    parallel_for(25, 10, [&](std::int64_t begin, std::int64_t end) {
      std::lock_guard lock(mutex);
      pieces.emplace(begin, end);
    });
    CHECK(pieces == expected);
  }
  parallel_for(0, 10, [](std::int64_t, std::int64_t) { FAIL("nothing to do"); });
  set_num_threads(before);
}

TEST_CASE("parallel_for: nested calls and calls from several threads finish") {
  std::atomic<std::int64_t> sum = 0;
  auto work = [&] {
    parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
      parallel_for(100, 7, [&](std::int64_t begin, std::int64_t end) { sum += end - begin; });
    });
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(sum == 2 * 64 * 100);
}

TEST_CASE("parallel_for: an exception comes out, and the pool is usable after") {
  CHECK_THROWS_AS(parallel_for(100, 1,
                               [](std::int64_t i, std::int64_t) {
                                 if (i == 50) throw Error("[test] fifty");
                               }),
                  Error);
  std::atomic<int> count = 0;
  parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ++count; });
  CHECK(count == 100);
  CHECK_THROWS_AS(set_num_threads(0), Error);
}
