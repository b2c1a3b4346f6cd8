#include <limits>

#include <doctest/doctest.h>

#include "ff/core/cpu/scan.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

struct Sizes {
  std::int64_t rows, n;
};

const Sizes all_sizes[] = {{0, 3}, {3, 0}, {1, 1}, {1, 7}, {5, 1}, {4, 9}, {3, 300}, {70000, 2}, {1, 50000}};

template <class T>
void check_sums(DType dtype, const Sizes& s, double tolerance) {
  const auto x = test::random_array<T>(s.rows * s.n, 1, -50, 50);
  std::vector<T> forwards(x.size()), backwards(x.size());
  std::vector<long double> want(x.size()), want_backwards(x.size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(s.rows); ++r) {
    const std::size_t n = static_cast<std::size_t>(s.n);
    long double total = 0, from_end = 0;
    for (std::size_t j = 0; j < n; ++j) {
      want[r * n + j] = total += static_cast<long double>(x[r * n + j]);
      want_backwards[r * n + n - 1 - j] = from_end += static_cast<long double>(x[r * n + n - 1 - j]);
    }
  }
  cpu::cumsum(dtype, s.rows, s.n, false, x.data(), forwards.data());
  cpu::cumsum(dtype, s.rows, s.n, true, x.data(), backwards.data());
  const auto d = test::largest_difference(forwards, want, {s.rows, s.n});
  CHECK_MESSAGE(d.relative <= tolerance, d.str());
  const auto e = test::largest_difference(backwards, want_backwards, {s.rows, s.n});
  CHECK_MESSAGE(e.relative <= tolerance, e.str());
}

// dx_i = sum_(j >= i) dy_j prod_(k <= j, k != i) x_k, as it stands there.
std::vector<double> cumprod_gradient(const std::vector<double>& x, const std::vector<double>& dy) {
  std::vector<double> dx(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = i; j < x.size(); ++j) {
      double product = dy[j];
      for (std::size_t k = 0; k <= j; ++k)
        if (k != i) product *= x[k];
      dx[i] += product;
    }
  return dx;
}

}  // namespace

TEST_CASE("cumulative sums equal the plain loop, from either end") {
  for (const Sizes& s : all_sizes) {
    CAPTURE(s.rows);
    CAPTURE(s.n);
    check_sums<float>(f32, s, 1e-7);
    check_sums<double>(f64, s, 1e-13);
    check_sums<std::int64_t>(i64, s, 0);
  }
}

TEST_CASE("cumulative sums and products of integers wrap around") {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::int64_t> x{largest, 1, -1};
  std::vector<std::int64_t> y(3);
  cpu::cumsum(i64, 1, 3, false, x.data(), y.data());
  CHECK(y == std::vector<std::int64_t>{largest, -largest - 1, largest});
  const std::vector<std::int64_t> factors{largest, 2, -3};
  cpu::cumprod(i64, 1, 3, factors.data(), y.data());
  CHECK(y == std::vector<std::int64_t>{largest, -2, 6});
}

TEST_CASE("cumulative products and their gradients, zeros anywhere") {
  for (int zeros = 0; zeros < 64; ++zeros) {  // a bit each
    CAPTURE(zeros);
    std::vector<double> x = test::random_array<double>(6, 3, 0.5, 2), dy = test::random_array<double>(6, 4);
    for (std::size_t i = 0; i < 6; ++i)
      if (zeros >> i & 1) x[i] = 0;
    std::vector<double> y(6), dx(6), want(6);
    double product = 1;
    for (std::size_t j = 0; j < 6; ++j) want[j] = product *= x[j];
    cpu::cumprod(f64, 1, 6, x.data(), y.data());
    CHECK(y == want);
    cpu::cumprod_backward(f64, 1, 6, x.data(), dy.data(), dx.data());
    auto d = test::largest_difference(dx, cumprod_gradient(x, dy));
    CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
    cpu::prod_backward(f64, 1, 6, x.data(), dy.data(), dx.data());
    d = test::largest_difference(dx, cumprod_gradient(x, {0, 0, 0, 0, 0, dy[0]}));
    CHECK_MESSAGE(d.absolute <= 1e-13, d.str());
  }
}

TEST_CASE("products of f32 pass through values beyond its range") {
  const std::vector<float> x{1e30f, 1e30f, 1e-30f, 1e-30f}, dy{0, 0, 0, 1};
  std::vector<float> y(4), dx(4);
  cpu::cumprod(f32, 1, 4, x.data(), y.data());
  CHECK(y[1] == std::numeric_limits<float>::infinity());
  CHECK(y[3] == doctest::Approx(1));
  cpu::cumprod_backward(f32, 1, 4, x.data(), dy.data(), dx.data());
  CHECK(dx[0] == doctest::Approx(1e-30));
  CHECK(dx[2] == doctest::Approx(1e30));
}

TEST_CASE("scans are the same at any number of threads") {
  const std::int64_t rows = 3000, n = 50;
  const auto x = test::random_array<float>(rows * n, 1, 0.5, 1.5), dy = test::random_array<float>(rows * n, 2);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> all(static_cast<std::size_t>(4 * rows * n));
    float* y = all.data();
    cpu::cumsum(f32, rows, n, false, x.data(), y);
    cpu::cumprod(f32, rows, n, x.data(), y + rows * n);
    cpu::cumprod_backward(f32, rows, n, x.data(), dy.data(), y + 2 * rows * n);
    cpu::prod_backward(f32, rows, n, x.data(), dy.data(), y + 3 * rows * n);
    return all;
  }));
}

}  // namespace ff
