#include <algorithm>

#include <doctest/doctest.h>

#include "ff/core/cpu/search.h"

#include "tests/support/strided_arrays.h"

namespace ff {

TEST_CASE("positions of what is true, over several tasks") {
  for (const std::int64_t n : {0, 1, 65536, 65537, 300000}) {
    const auto x = test::random_array<std::uint8_t>(n, 1, 0, 1);
    std::vector<std::int64_t> want;
    for (std::int64_t i = 0; i < n; ++i)
      if (x[static_cast<std::size_t>(i)] != 0) want.push_back(i);
    auto positions = [&] { return cpu::positions_of_true(n, x.data()); };
    CHECK(positions() == want);
    CHECK(test::same_at_any_thread_count(positions));
  }
}

TEST_CASE("searching sorted rows, one for all or one each") {
  const std::int64_t rows = 40, n = 30, count = 500;
  auto sorted = test::random_array<std::int32_t>(rows * n, 1, 0, 50);
  for (auto row = sorted.begin(); row != sorted.end(); row += n) std::sort(row, row + n);
  const auto values = test::random_array<std::int32_t>(rows * count, 2, -3, 53);
  for (const bool shared : {false, true})
    for (const bool right : {false, true}) {
      std::vector<std::int64_t> want;
      for (std::int64_t i = 0; i < rows * count; ++i) {
        const auto row = sorted.begin() + (shared ? 0 : i / count * n);
        const auto value = values[static_cast<std::size_t>(i)];
        want.push_back(std::count_if(row, row + n, [&](auto e) { return right ? e <= value : e < value; }));
      }
      auto search = [&] {
        std::vector<std::int64_t> y(values.size());
        cpu::searchsorted(i32, right, shared, rows, n, count, sorted.data(), values.data(), y.data());
        return y;
      };
      CHECK(search() == want);
      CHECK(test::same_at_any_thread_count(search));
    }
}

}  // namespace ff
