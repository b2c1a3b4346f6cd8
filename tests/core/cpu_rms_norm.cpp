#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "ff/core/cpu/rms_norm.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

constexpr double eps = 1e-3;

template <class T>
void check_rms_norm(DType dtype, std::int64_t rows, std::int64_t n, bool weighted, double tolerance) {
  CAPTURE(rows);
  CAPTURE(n);
  CAPTURE(weighted);
  const auto x = test::random_array<T>(rows * n, 1, -1, 3), dy = test::random_array<T>(rows * n, 2),
             w = test::random_array<T>(n, 3);
  const T* weight = weighted ? w.data() : nullptr;
  std::vector<double> want_y(x.size()), want_dx(x.size()), want_dw(w.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    auto at = [&](std::int64_t i) { return static_cast<std::size_t>(r * n + i); };
    auto factor = [&](std::int64_t i) { return weighted ? static_cast<double>(w[static_cast<std::size_t>(i)]) : 1.0; };
    const double size = static_cast<double>(n);
    double squares = 0, products = 0;
    for (std::int64_t i = 0; i < n; ++i) squares += static_cast<double>(x[at(i)]) * static_cast<double>(x[at(i)]);
    const double s = 1 / std::sqrt(squares / size + eps);
    for (std::int64_t i = 0; i < n; ++i)
      products += static_cast<double>(dy[at(i)]) * factor(i) * static_cast<double>(x[at(i)]) / size;
    for (std::int64_t i = 0; i < n; ++i) {
      const double xi = static_cast<double>(x[at(i)]), dyi = static_cast<double>(dy[at(i)]);
      want_y[at(i)] = xi * s * factor(i);
      want_dx[at(i)] = s * dyi * factor(i) - s * s * s * xi * products;
      want_dw[static_cast<std::size_t>(i)] += dyi * xi * s;
    }
  }
  auto check = [&](const std::vector<T>& got, const std::vector<double>& want, const Shape& shape) {
    const auto d = test::largest_difference(got, want, shape);
    CHECK_MESSAGE(d.relative <= tolerance, d.str());
  };
  std::vector<T> y(x.size()), rrms(static_cast<std::size_t>(rows)), dx(x.size()), dw(w.size(), T{9});
  cpu::rms_norm(dtype, rows, n, eps, x.data(), weight, y.data(), rrms.data());
  check(y, want_y, {rows, n});
  auto backward = [&](T* to_x, T* to_weight) {
    cpu::rms_norm_backward(dtype, rows, n, x.data(), weight, rrms.data(), dy.data(), to_x, to_weight);
  };
  backward(dx.data(), dw.data());
  check(dx, want_dx, {rows, n});
  check(dw, want_dw, {n});
  std::vector<T> dx_alone(x.size()), dw_alone(w.size());
  backward(dx_alone.data(), nullptr);
  backward(nullptr, dw_alone.data());
  CHECK(test::same_bits(dx_alone, dx));
  CHECK(test::same_bits(dw_alone, dw));
}

}  // namespace

TEST_CASE("rms_norm and its gradients, with and without weight") {
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{0, 5},     {1, 1},    {3, 2},   {7, 7},
                                                         {130, 192}, {300, 33}, {2, 5000}};
  for (auto [rows, n] : sizes)
    for (bool weighted : {true, false}) {
      check_rms_norm<float>(f32, rows, n, weighted, 4e-6);
      check_rms_norm<double>(f64, rows, n, weighted, 1e-13);
    }
}

TEST_CASE("rms_norm does not depend on the number of threads") {
  const std::int64_t rows = 1501, n = 192;
  const auto x = test::random_array<float>(rows * n, 1), dy = test::random_array<float>(rows * n, 2),
             w = test::random_array<float>(n, 3);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> y(x.size()), rrms(rows), dw(n);
    cpu::rms_norm(f32, rows, n, eps, x.data(), w.data(), y.data(), rrms.data());
    cpu::rms_norm_backward(f32, rows, n, x.data(), w.data(), rrms.data(), dy.data(), y.data(), dw.data());
    y.insert(y.end(), dw.begin(), dw.end());
    return y;
  }));
}

}  // namespace ff
