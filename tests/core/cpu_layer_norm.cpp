#include <algorithm>
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "ff/core/cpu/layer_norm.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

constexpr double eps = 1e-5;

struct Gradients {
  std::vector<double> dx, dweight, dbias;
};

struct Reference {
  std::int64_t rows, n;
  std::vector<double> x, weight, bias;

  double mean(std::int64_t r) const {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += at(r, i);
    return sum / static_cast<double>(n);
  }
  double rstd(std::int64_t r) const {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += (at(r, i) - mean(r)) * (at(r, i) - mean(r));
    return 1 / std::sqrt(sum / static_cast<double>(n) + eps);
  }
  double at(std::int64_t r, std::int64_t i) const { return x[static_cast<std::size_t>(r * n + i)]; }
  double w(std::int64_t i) const { return weight.empty() ? 1 : weight[static_cast<std::size_t>(i)]; }
  double b(std::int64_t i) const { return bias.empty() ? 0 : bias[static_cast<std::size_t>(i)]; }

  std::vector<double> y() const {
    std::vector<double> out;
    for (std::int64_t r = 0; r < rows; ++r) {
      const double m = mean(r), s = rstd(r);
      for (std::int64_t i = 0; i < n; ++i) out.push_back((at(r, i) - m) * s * w(i) + b(i));
    }
    return out;
  }

  Gradients gradients(const std::vector<double>& dy) const {
    Gradients d{std::vector<double>(x.size()), std::vector<double>(static_cast<std::size_t>(n)),
                std::vector<double>(static_cast<std::size_t>(n))};
    for (std::int64_t r = 0; r < rows; ++r) {
      const double m = mean(r), s = rstd(r);
      double g_mean = 0, gh_mean = 0;
      for (std::int64_t i = 0; i < n; ++i) {
        const double h = (at(r, i) - m) * s, dy_i = dy[static_cast<std::size_t>(r * n + i)];
        g_mean += dy_i * w(i) / static_cast<double>(n);
        gh_mean += dy_i * w(i) * h / static_cast<double>(n);
        d.dweight[static_cast<std::size_t>(i)] += dy_i * h;
        d.dbias[static_cast<std::size_t>(i)] += dy_i;
      }
      for (std::int64_t i = 0; i < n; ++i) {
        const auto k = static_cast<std::size_t>(r * n + i);
        d.dx[k] = s * (dy[k] * w(i) - g_mean - (at(r, i) - m) * s * gh_mean);
      }
    }
    return d;
  }
};

template <class T>
void check_layer_norm(DType dtype, std::int64_t rows, std::int64_t n, bool with_weight, bool with_bias,
                      double tolerance) {
  CAPTURE(rows);
  CAPTURE(n);
  CAPTURE(with_weight);
  CAPTURE(with_bias);
  const auto x = test::random_array<T>(rows * n, 1, 0, 3), dy = test::random_array<T>(rows * n, 2);
  const auto w = test::random_array<T>(n, 3), b = test::random_array<T>(n, 4);
  const T *weight = with_weight ? w.data() : nullptr, *bias = with_bias ? b.data() : nullptr;
  const Reference reference{
      rows, n, {x.begin(), x.end()}, {weight, weight + (with_weight ? n : 0)}, {bias, bias + (with_bias ? n : 0)}};
  auto check = [&](const std::vector<T>& got, const std::vector<double>& want, const Shape& shape) {
    const auto d = test::largest_difference(got, want, shape);
    CHECK_MESSAGE(d.relative <= tolerance, d.str());
  };
  std::vector<T> y(x.size()), mean(static_cast<std::size_t>(rows)), rstd(mean.size());
  cpu::layer_norm(dtype, rows, n, eps, x.data(), weight, bias, y.data(), mean.data(), rstd.data());
  check(y, reference.y(), {rows, n});
  std::vector<double> want_mean, want_rstd;
  for (std::int64_t r = 0; r < rows; ++r)
    want_mean.push_back(reference.mean(r)), want_rstd.push_back(reference.rstd(r));
  check(mean, want_mean, {rows});
  check(rstd, want_rstd, {rows});

  const Gradients want = reference.gradients({dy.begin(), dy.end()});
  std::vector<T> dx(x.size()), dweight(w.size(), T{9}), dbias(w.size(), T{9});
  auto backward = [&](T* to_x, T* to_weight, T* to_bias) {
    cpu::layer_norm_backward(dtype, rows, n, x.data(), weight, mean.data(), rstd.data(), dy.data(), to_x, to_weight,
                             to_bias);
  };
  backward(dx.data(), dweight.data(), dbias.data());
  check(dx, want.dx, {rows, n});
  check(dweight, want.dweight, {n});
  check(dbias, want.dbias, {n});
  std::vector<T> alone(x.size()), weight_alone(w.size()), bias_alone(w.size());  // each result without the others
  backward(alone.data(), nullptr, nullptr);
  backward(nullptr, weight_alone.data(), nullptr);
  backward(nullptr, nullptr, bias_alone.data());
  CHECK(test::same_bits(alone, dx));
  CHECK(test::same_bits(weight_alone, dweight));
  CHECK(test::same_bits(bias_alone, dbias));
}

}  // namespace

TEST_CASE("layer_norm and its gradients, with and without weight and bias") {
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{0, 5},  {1, 1},     {3, 2},     {7, 7},   {5, 8},
                                                         {4, 33}, {130, 192}, {300, 100}, {2, 5000}};
  for (auto [rows, n] : sizes)
    for (bool with_weight : {true, false})
      for (bool with_bias : {true, false}) {
        check_layer_norm<float>(f32, rows, n, with_weight, with_bias, 2e-6);
        check_layer_norm<double>(f64, rows, n, with_weight, with_bias, 1e-13);
      }
}

TEST_CASE("layer_norm of nearly equal entries around a large mean") {
  // One pass over squares would leave nothing of the variance.
  std::vector<float> x, y(64);
  for (int i = 0; i < 64; ++i) x.push_back(10000 + static_cast<float>(i % 2));
  float mean, rstd;
  cpu::layer_norm(f32, 1, 64, 0, x.data(), nullptr, nullptr, y.data(), &mean, &rstd);
  CHECK(mean == 10000.5f);
  CHECK(rstd == 2);
  CHECK(y[0] == -1);
  CHECK(y[1] == 1);
  std::fill(x.begin(), x.end(), 3.0f);
  cpu::layer_norm(f32, 1, 64, 1e-5, x.data(), nullptr, nullptr, y.data(), &mean, &rstd);
  CHECK(y[5] == 0);
}

TEST_CASE("layer_norm does not depend on the number of threads") {
  const std::int64_t rows = 1501, n = 192;
  const auto x = test::random_array<float>(rows * n, 1), dy = test::random_array<float>(rows * n, 2),
             w = test::random_array<float>(n, 3);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<float> y(x.size()), mean(rows), rstd(rows), dweight(n), dbias(n);
    cpu::layer_norm(f32, rows, n, eps, x.data(), w.data(), nullptr, y.data(), mean.data(), rstd.data());
    cpu::layer_norm_backward(f32, rows, n, x.data(), w.data(), mean.data(), rstd.data(), dy.data(), y.data(),
                             dweight.data(), dbias.data());
    y.insert(y.end(), dweight.begin(), dweight.end());
    y.insert(y.end(), dbias.begin(), dbias.end());
    return y;
  }));
}

TEST_CASE("layer_norm of a sum: sum, norm and gradients are those of two passes, at any number of threads") {
  const std::int64_t rows = 300, n = 37;
  const auto size = static_cast<std::size_t>(rows * n);
  std::vector<float> x(size), residual(size), dy(size), dsum(size), weight(static_cast<std::size_t>(n)), sum(size);
  for (std::size_t i = 0; i < size; ++i) {
    const double t = static_cast<double>(i);
    x[i] = static_cast<float>(std::sin(t)), residual[i] = static_cast<float>(2 * std::cos(1.7 * t));
    dy[i] = static_cast<float>(std::sin(0.3 * t + 1)), dsum[i] = static_cast<float>(std::cos(2.3 * t));
    sum[i] = x[i] + residual[i];
  }
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 0.5f + 0.1f * static_cast<float>(i);
  std::vector<float> want(size), got(size), got_sum(size), mean(static_cast<std::size_t>(rows)), rstd(mean);
  cpu::layer_norm(f32, rows, n, eps, sum.data(), weight.data(), nullptr, want.data(), mean.data(), rstd.data());
  cpu::layer_norm(f32, rows, n, eps, x.data(), weight.data(), nullptr, got.data(), mean.data(), rstd.data(),
                  residual.data(), got_sum.data());
  CHECK(test::same_bits(got_sum, sum));
  CHECK(test::same_bits(got, want));

  std::vector<float> alone(size), together(size);
  cpu::layer_norm_backward(f32, rows, n, sum.data(), weight.data(), mean.data(), rstd.data(), dy.data(), alone.data(),
                           nullptr, nullptr);
  std::vector<double> both;
  for (std::size_t i = 0; i < size; ++i) both.push_back(static_cast<double>(alone[i]) + static_cast<double>(dsum[i]));
  CHECK(test::same_at_any_thread_count([&] {
    cpu::layer_norm_backward(f32, rows, n, sum.data(), weight.data(), mean.data(), rstd.data(), dy.data(),
                             together.data(), nullptr, nullptr, dsum.data());
    return together;
  }));
  const auto d = test::largest_difference(together, both);
  CHECK_MESSAGE(d.absolute < 1e-6, d.str());
}

}  // namespace ff
