#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "ff/core/cpu/sort.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

using Index = std::vector<std::int64_t>;

// By std::stable_sort, NaN as the largest.
template <class T>
Index reference(std::int64_t rows, std::int64_t n, std::int64_t k, bool descending, const std::vector<T>& x) {
  Index result;
  for (std::int64_t r = 0; r < rows; ++r) {
    Index order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
      T a = x[static_cast<std::size_t>(r * n + i)], b = x[static_cast<std::size_t>(r * n + j)];
      if (descending) std::swap(a, b);
      if (a != a || b != b) return a == a && b != b;
      return a < b;
    });
    result.insert(result.end(), order.begin(), order.begin() + k);
  }
  return result;
}

template <class T>
Index sorted(DType dtype, std::int64_t rows, std::int64_t n, std::int64_t k, bool descending, const std::vector<T>& x) {
  Index index(static_cast<std::size_t>(rows * k), -1);
  cpu::sort(dtype, rows, n, k, descending, x.data(), index.data());
  return index;
}

template <class T>
void check_sort(DType dtype, std::int64_t rows, std::int64_t n, double low, double high) {
  const auto x = test::random_array<T>(rows * n, 1, low, high);
  for (std::int64_t k : {n, n / 2, std::min<std::int64_t>(n, 1)})
    for (bool descending : {false, true}) {
      CAPTURE(k);
      CAPTURE(descending);
      const auto d = test::largest_difference(sorted(dtype, rows, n, k, descending, x),
                                              reference(rows, n, k, descending, x), {rows, k});
      CHECK_MESSAGE(d.absolute == 0, d.str());
    }
}

}  // namespace

TEST_CASE("sorting equals a stable sort in every dtype, with many ties") {
  const std::int64_t sizes[][2] = {{0, 3}, {3, 0}, {1, 1}, {4, 7}, {2, 1000}, {9000, 3}, {1, 20000}};
  for (const auto& s : sizes) {
    CAPTURE(s[0]);
    CAPTURE(s[1]);
    check_sort<float>(f32, s[0], s[1], -2, 2);
    check_sort<double>(f64, s[0], s[1], -2, 2);
    check_sort<std::int32_t>(i32, s[0], s[1], -5, 5);
    check_sort<std::int64_t>(i64, s[0], s[1], -100, 100);
    check_sort<std::uint8_t>(u8, s[0], s[1], 0, 255);
    check_sort<std::uint8_t>(boolean, s[0], s[1], 0, 1);
  }
}

TEST_CASE("sorting: NaN is the largest, zeros of either sign are equal, infinities have their place") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{0.0f, nan, inf, -0.0f, -inf, -nan, 1.0f};
  CHECK(sorted(f32, 1, 7, 7, false, x) == Index{4, 0, 3, 6, 2, 1, 5});
  CHECK(sorted(f32, 1, 7, 7, true, x) == Index{1, 5, 2, 6, 0, 3, 4});
  CHECK(sorted(f32, 1, 7, 3, true, x) == Index{1, 5, 2});
  CHECK(sorted(f32, 1, 7, 2, false, x) == Index{4, 0});
}

TEST_CASE("sorting gives the same at any number of threads") {
  const auto x = test::random_array<std::int32_t>(200 * 700, 1, 0, 50);
  CHECK(test::same_at_any_thread_count([&] { return sorted(i32, 200, 700, 700, true, x); }));
  CHECK(test::same_at_any_thread_count([&] { return sorted(i32, 200, 700, 20, false, x); }));
}

}  // namespace ff
