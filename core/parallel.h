#pragma once

#include <cstdint>
#include <functional>

namespace ff {

/// Sets how many threads the library computes with; n >= 1, default the number of physical cores that this process may
/// use (usable_cores()). Throws Error otherwise. Results do not depend on it.
void set_num_threads(int n);
int num_threads();

/// Calls body(begin, end) on [0, grain), [grain, 2 grain), ... up to n, on the library's threads, and returns when all
/// are done. How the range is cut depends on n and grain alone, so that results can be the same at any thread count.
/// Called from inside a body, runs in place. May be called from several threads at once, also from tasks of a caller's
/// own TBB arena: all share the library's threads. The first exception thrown by a body is rethrown.
void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

/// How many pieces parallel_for cuts [0, n) into.
constexpr std::int64_t num_chunks(std::int64_t n, std::int64_t grain) { return (n + grain - 1) / grain; }

}  // namespace ff
