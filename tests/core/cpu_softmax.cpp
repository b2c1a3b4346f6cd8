#include <algorithm>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "ff/core/cpu/softmax.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

using test::largest_difference;

using Array = std::vector<double>;

struct Rows {
  std::int64_t rows, n;
};

const Rows sizes[] = {{0, 5},  {5, 0},  {1, 1},   {3, 2},     {7, 7},    {5, 8},
                      {4, 16}, {3, 33}, {2, 197}, {70, 1000}, {2, 40000}};

// f of each row: (x row, y row).
template <class F>
Array by_rows(Rows size, const Array& x, F f) {
  Array y(x.size());
  for (std::int64_t r = 0; r < size.rows; ++r) f(x.data() + r * size.n, y.data() + r * size.n);
  return y;
}

double log_sum_exp(const double* x, std::int64_t n) {
  if (n == 0) return 0;
  const double largest = *std::max_element(x, x + n);
  if (std::isinf(largest)) return largest;
  long double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<long double>(x[i]) - largest);
  return static_cast<double>(largest + std::log(sum));
}

Array log_softmax(Rows size, const Array& x) {
  return by_rows(size, x, [&](const double* a, double* y) {
    const double lse = log_sum_exp(a, size.n);
    for (std::int64_t i = 0; i < size.n; ++i) y[i] = std::isinf(lse) ? lse : a[i] - lse;
  });
}

Array softmax(Rows size, const Array& x) {
  Array y = log_softmax(size, x);
  for (double& v : y) v = std::exp(v);
  return y;
}

// y = a (b - sum over the row of a b), or b - exp(a) sum b in log form.
Array backward(Rows size, const Array& a, const Array& b, bool log_form) {
  Array y(a.size());
  for (std::int64_t r = 0; r < size.rows; ++r) {
    long double sum = 0;
    for (std::int64_t i = r * size.n; i < (r + 1) * size.n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      sum += log_form ? static_cast<long double>(b[at]) : static_cast<long double>(a[at]) * b[at];
    }
    for (std::int64_t i = r * size.n; i < (r + 1) * size.n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto s = static_cast<double>(sum);
      y[at] = log_form ? b[at] - std::exp(a[at]) * s : a[at] * (b[at] - s);
    }
  }
  return y;
}

template <class T>
void check_kernels(DType dtype, Rows size, double tolerance) {
  CAPTURE(size.rows);
  CAPTURE(size.n);
  const std::int64_t total = size.rows * size.n;
  const Shape shape{size.rows, size.n};
  const auto x = test::random_array<T>(total, 1, -8, 8), dy = test::random_array<T>(total, 2);
  const Array x64(x.begin(), x.end()), dy64(dy.begin(), dy.end());
  std::vector<T> y(x.size()), dx(x.size());
  auto check = [&](const std::vector<T>& got, const Array& want) {
    const auto d = largest_difference(got, want, shape);
    CHECK_MESSAGE(d.relative <= tolerance, d.str());
  };
  cpu::softmax(dtype, size.rows, size.n, x.data(), y.data());
  check(y, softmax(size, x64));
  cpu::softmax_backward(dtype, size.rows, size.n, y.data(), dy.data(), dx.data());
  check(dx, backward(size, Array(y.begin(), y.end()), dy64, false));
  cpu::log_softmax(dtype, size.rows, size.n, x.data(), y.data());
  check(y, log_softmax(size, x64));
  cpu::log_softmax_backward(dtype, size.rows, size.n, y.data(), dy.data(), dx.data());
  check(dx, backward(size, Array(y.begin(), y.end()), dy64, true));
}

// Loss and gradient of each row by the formulas of softmax.h.
struct CrossEntropy {
  Array loss, dx;
};

CrossEntropy cross_entropy(Rows size, const Array& x, const std::vector<std::int64_t>& target, double smoothing,
                           const Array& dloss) {
  CrossEntropy y{Array(static_cast<std::size_t>(size.rows)), Array(x.size())};
  for (std::int64_t r = 0; r < size.rows; ++r) {
    const std::int64_t t = target[static_cast<std::size_t>(r)];
    if (t == -100) continue;
    const double* row = x.data() + r * size.n;
    const double lse = log_sum_exp(row, size.n), n = static_cast<double>(size.n);
    long double mean = 0;
    for (std::int64_t i = 0; i < size.n; ++i) mean += row[i] / n;
    y.loss[static_cast<std::size_t>(r)] =
        (1 - smoothing) * (lse - row[t]) + smoothing * (lse - static_cast<double>(mean));
    for (std::int64_t i = 0; i < size.n; ++i)
      y.dx[static_cast<std::size_t>(r * size.n + i)] =
          dloss[static_cast<std::size_t>(r)] * (std::exp(row[i] - lse) - (i == t ? 1 - smoothing : 0) - smoothing / n);
  }
  return y;
}

template <class T>
void check_cross_entropy(DType dtype, Rows size, double smoothing, double tolerance) {
  CAPTURE(size.rows);
  CAPTURE(size.n);
  CAPTURE(smoothing);
  const auto x = test::random_array<T>(size.rows * size.n, 1, -8, 8), dloss = test::random_array<T>(size.rows, 2);
  auto target = test::random_array<std::int64_t>(size.rows, 3, 0, static_cast<double>(size.n - 1));
  for (std::size_t r = 2; r < target.size(); r += 5) target[r] = -100;
  std::vector<T> loss(dloss.size()), lse(dloss.size()), dx(x.size(), T{5});
  cpu::cross_entropy(dtype, size.rows, size.n, x.data(), target.data(), -100, smoothing, loss.data(), lse.data());
  cpu::cross_entropy_backward(dtype, size.rows, size.n, x.data(), target.data(), -100, smoothing, lse.data(),
                              dloss.data(), dx.data());
  const CrossEntropy want =
      cross_entropy(size, Array(x.begin(), x.end()), target, smoothing, Array(dloss.begin(), dloss.end()));
  const auto d = largest_difference(loss, want.loss), g = largest_difference(dx, want.dx, {size.rows, size.n});
  CHECK_MESSAGE(d.relative <= tolerance, d.str());
  CHECK_MESSAGE(g.relative <= tolerance, g.str());
}

}  // namespace

TEST_CASE("softmax, log_softmax and their gradients") {
  for (const Rows size : sizes) {
    check_kernels<float>(f32, size, 3e-7);
    check_kernels<double>(f64, size, 1e-14);
  }
}

TEST_CASE("cross entropy and its gradient, smoothed, rows ignored") {
  for (const Rows size : sizes) {
    if (size.n == 0) continue;
    for (double smoothing : {0.0, 0.1}) {
      check_cross_entropy<float>(f32, size, smoothing, 1e-6);
      check_cross_entropy<double>(f64, size, smoothing, 2e-15);
    }
  }
}

TEST_CASE("softmax of rows with infinities") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{-inf, -inf, -inf, -inf, 1, -inf, 3e38f, -3e38f, 3e38f};
  std::vector<float> y(9);
  cpu::softmax(f32, 3, 3, x.data(), y.data());
  CHECK(y == std::vector<float>{0, 0, 0, 0, 1, 0, 0.5, 0, 0.5});
  cpu::log_softmax(f32, 3, 3, x.data(), y.data());
  CHECK(y[0] == -inf);
  CHECK(y[2] == -inf);
  CHECK(y[3] == -inf);
  CHECK(y[4] == 0);
  CHECK(std::abs(y[6] + std::log(2.0f)) < 1e-6f);
  const std::vector<double> x64{-inf, -inf, 0, -800};
  std::vector<double> y64(4);
  cpu::softmax(f64, 2, 2, x64.data(), y64.data());
  CHECK(y64 == std::vector<double>{0, 0, 1, 0});
  const std::vector<float> nan_row{1, NAN, 2};
  cpu::softmax(f32, 1, 3, nan_row.data(), y.data());
  for (int i = 0; i < 3; ++i) CHECK(std::isnan(y[static_cast<std::size_t>(i)]));
}

TEST_CASE("cross entropy with masked logits does not need their mean") {
  const std::vector<float> x{2, -INFINITY, 1};
  const std::int64_t target = 0;
  float loss, lse, dx[3];
  const float dloss = 1;
  cpu::cross_entropy(f32, 1, 3, x.data(), &target, -100, 0, &loss, &lse);
  CHECK(std::abs(loss - std::log1p(std::exp(-1.0f))) < 1e-7f);
  cpu::cross_entropy_backward(f32, 1, 3, x.data(), &target, -100, 0, &lse, &dloss, dx);
  CHECK(dx[1] == 0);
  CHECK(std::abs(dx[0] + dx[2]) < 1e-7f);
}

TEST_CASE("softmax in place") {
  auto x = test::random_array<float>(5 * 37, 1);
  std::vector<float> y(x.size());
  cpu::softmax(f32, 5, 37, x.data(), y.data());
  cpu::softmax(f32, 5, 37, x.data(), x.data());
  CHECK(x == y);
}

TEST_CASE("softmax does not depend on the number of threads") {
  const std::int64_t rows = 301, n = 197;
  const auto x = test::random_array<float>(rows * n, 1), dy = test::random_array<float>(rows * n, 2);
  const auto target = test::random_array<std::int64_t>(rows, 3, 0, n - 1);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> y(x.size()), loss(rows), lse(rows);
    cpu::softmax(f32, rows, n, x.data(), y.data());
    cpu::softmax_backward(f32, rows, n, y.data(), dy.data(), y.data());
    cpu::cross_entropy(f32, rows, n, y.data(), target.data(), -1, 0.1, loss.data(), lse.data());
    return loss;
  }));
}

}  // namespace ff
