#include <limits>

#include <doctest/doctest.h>

#include "ff/core/cpu/dropout.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

constexpr RandomKey key{11, 1000};

template <class T>
std::vector<T> normal(std::int64_t n, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  fill_normal(x.data(), n, Generator(seed).next(static_cast<std::uint64_t>(2 * n)));
  return x;
}

template <class T>
void check_against_words(DType dtype, std::int64_t n, std::int64_t span, double p) {
  const std::vector<T> x = normal<T>(n, 1), residual = normal<T>(n, 2);
  std::vector<T> want(x.size()), want_added(x.size()), got(x.size()), added(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool kept = random_bits(key, i / static_cast<std::size_t>(span)) >= drop_threshold(p);
    want[i] = kept ? x[i] * static_cast<T>(1 / (1 - p)) : T{0};
    want_added[i] = residual[i] + want[i];
  }
  cpu::dropout(dtype, n, p, key, span, x.data(), nullptr, got.data());
  cpu::dropout(dtype, n, p, key, span, x.data(), residual.data(), added.data());
  CHECK(test::same_bits(got, want));
  CHECK(test::same_bits(added, want_added));
}

}  // namespace

TEST_CASE("dropout kernel: element i by word i / span, alone and on a residual") {
  for (const std::int64_t n : {0, 1, 7, 1024, 1027, 50'003})
    for (const std::int64_t span : {1, 2, 5, 1000, 20'000}) {
      CAPTURE(n);
      CAPTURE(span);
      check_against_words<float>(f32, n, span, 0.3);
      check_against_words<double>(f64, n, span, 0.75);
    }
}

TEST_CASE("dropout kernel: a dropped infinity is 0; in place; the same bits at any number of threads") {
  const std::int64_t n = 70'001;
  const std::vector<float> infinite(static_cast<std::size_t>(n), std::numeric_limits<float>::infinity());
  std::vector<float> y(infinite.size());
  cpu::dropout(f32, n, 0.5, key, 1, infinite.data(), nullptr, y.data());
  for (float v : y) CHECK((v == 0 || v == std::numeric_limits<float>::infinity()));
  const std::vector<float> x = normal<float>(n, 3), residual = normal<float>(n, 4);
  for (const std::int64_t span : {1, 300})
    CHECK(test::same_at_any_thread_count([&] {
      std::vector<float> out = residual;
      cpu::dropout(f32, n, 0.2, key, span, x.data(), out.data(), out.data());
      return out;
    }));
}

}  // namespace ff
