#include "ff/core/cpu/search.h"

#include <algorithm>
#include <numeric>

#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 64 * 1024;        // booleans a task looks at
constexpr std::int64_t search_grain = 4 * 1024;  // values a task searches for

// a < b, NaN above everything.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

template <class T>
std::int64_t place(const T* sorted, std::int64_t n, T value, bool right) {
  const T* at = right ? std::partition_point(sorted, sorted + n, [=](T entry) { return !less(value, entry); })
                      : std::partition_point(sorted, sorted + n, [=](T entry) { return less(entry, value); });
  return at - sorted;
}

}  // namespace

std::vector<std::int64_t> positions_of_true(std::int64_t n, const std::uint8_t* x) {
  // Counted first, so that each task knows where its own begin.
  std::vector<std::int64_t> begins(static_cast<std::size_t>(num_chunks(n, grain)) + 1);
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    begins[static_cast<std::size_t>(begin / grain) + 1] =
        std::count_if(x + begin, x + end, [](std::uint8_t v) { return v != 0; });
  });
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::int64_t> positions(static_cast<std::size_t>(begins.back()));
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    auto next = positions.begin() + begins[static_cast<std::size_t>(begin / grain)];
    for (std::int64_t i = begin; i < end; ++i)
      if (x[i] != 0) *next++ = i;
  });
  return positions;
}

void searchsorted(DType dtype, bool right, bool shared, std::int64_t rows, std::int64_t n, std::int64_t count,
                  const void* sorted, const void* values, std::int64_t* y) {
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(sorted);
    const T* wanted = static_cast<const T*>(values);
    parallel_for(rows * count, search_grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) y[i] = place(from + (shared ? 0 : i / count * n), n, wanted[i], right);
    });
  });
}

}  // namespace ff::cpu
