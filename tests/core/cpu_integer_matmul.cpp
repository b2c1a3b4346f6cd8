#include <limits>

#include <doctest/doctest.h>

#include "ff/core/cpu/matmul.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

// Two products with A's matrices as given and B's single one used twice, either operand read transposed.
template <class T>
void check_integers(DType dtype, std::int64_t m, std::int64_t n, std::int64_t k, bool a_turned, bool b_turned) {
  const auto a = test::random_array<T>(2 * m * k, 1, 0, 100), b = test::random_array<T>(k * n, 2, 0, 100);
  const cpu::MatrixSteps a_steps = a_turned ? cpu::MatrixSteps{1, m} : cpu::MatrixSteps{k, 1};
  const cpu::MatrixSteps b_steps = b_turned ? cpu::MatrixSteps{1, k} : cpu::MatrixSteps{n, 1};
  const std::vector<std::int64_t> a_offset{0, m * k}, b_offset{0, 0};
  std::vector<T> c(static_cast<std::size_t>(2 * m * n), T{7}), want;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::int64_t r = 0; r < m; ++r)
      for (std::int64_t j = 0; j < n; ++j) {
        std::int64_t total = 0;
        for (std::int64_t p = 0; p < k; ++p)
          total += static_cast<std::int64_t>(
                       a[static_cast<std::size_t>(a_offset[i] + r * a_steps.row + p * a_steps.column)]) *
                   static_cast<std::int64_t>(b[static_cast<std::size_t>(p * b_steps.row + j * b_steps.column)]);
        want.push_back(static_cast<T>(total));
      }
  cpu::matmul_integers(dtype, 2, m, n, k, a.data(), a_offset.data(), a_steps, b.data(), b_offset.data(), b_steps,
                       c.data());
  const auto d = test::largest_difference(c, want, {2, m, n});
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

}  // namespace

TEST_CASE("products of integer matrices equal the plain loop; u8 wraps around") {
  const std::int64_t sizes[][3] = {{1, 1, 1}, {2, 3, 4}, {5, 1, 9}, {3, 4, 0}, {0, 2, 3}, {2, 0, 3}, {90, 80, 70}};
  for (const auto& s : sizes)
    for (int turned = 0; turned < 4; ++turned) {
      CAPTURE(s[0]);
      CAPTURE(turned);
      check_integers<std::int32_t>(i32, s[0], s[1], s[2], turned & 1, turned & 2);
      check_integers<std::int64_t>(i64, s[0], s[1], s[2], turned & 1, turned & 2);
      check_integers<std::uint8_t>(u8, s[0], s[1], s[2], turned & 1, turned & 2);
    }
}

TEST_CASE("products of integer matrices wrap around beyond their dtype") {
  const std::vector<std::int32_t> a{std::numeric_limits<std::int32_t>::max(), 1}, b{2, 1};
  const std::int64_t start = 0;
  std::int32_t c = 0;
  cpu::matmul_integers(i32, 1, 1, 1, 2, a.data(), &start, {2, 1}, b.data(), &start, {1, 1}, &c);
  CHECK(c == -1);
}

}  // namespace ff
