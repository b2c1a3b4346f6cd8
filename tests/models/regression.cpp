#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"
#include "ff/models/regression/kernel_estimate.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/strided_arrays.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

Tensor points(std::int64_t n, std::int64_t dim, unsigned seed, DType dtype = f64) {
  return Tensor::from(random_array<double>(n * dim, seed), {n, dim}).copy(dtype);
}

long double sinc(long double x) { return x == 0 ? 1 : std::sin(x) / x; }

// Mean over the sample of f(product over features of factor(difference)), for each point.
template <class Factor>
std::vector<double> density_loop(const Tensor& sample, const Tensor& at, Factor factor) {
  const auto x = sample.to_vector<double>(), p = at.to_vector<double>();
  const auto dim = static_cast<std::size_t>(at.size(1)), n = x.size() / dim;
  std::vector<double> result;
  for (std::size_t i = 0; i < p.size() / dim; ++i) {
    long double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      long double product = 1;
      for (std::size_t d = 0; d < dim; ++d)
        product *= factor(static_cast<long double>(p[i * dim + d]) - x[j * dim + d]);
      sum += product;
    }
    result.push_back(static_cast<double>(sum / static_cast<long double>(n)));
  }
  return result;
}

template <class Factor>
std::vector<double> regression_loop(const Tensor& sample, const Tensor& values, const Tensor& at, Factor factor) {
  const auto x = sample.to_vector<double>(), p = at.to_vector<double>(), v = values.to_vector<double>();
  const auto dim = static_cast<std::size_t>(at.size(1));
  std::vector<double> result;
  for (std::size_t i = 0; i < p.size() / dim; ++i) {
    long double weights = 0, weighed = 0;
    for (std::size_t j = 0; j < v.size(); ++j) {
      long double product = 1;
      for (std::size_t d = 0; d < dim; ++d)
        product *= factor(static_cast<long double>(p[i * dim + d]) - x[j * dim + d]);
      weights += product;
      weighed += product * v[j];
    }
    result.push_back(static_cast<double>(weighed / weights));
  }
  return result;
}

auto gaussian(long double h) {
  return [h](long double z) { return std::exp(-z * z / (2 * h * h)); };
}

auto fourier(long double radius, int power) {
  return [=](long double z) { return std::pow(std::abs(sinc(radius * z)), power); };
}

}  // namespace

TEST_CASE("sinc_integral has the values of tables") {
  const double pi = std::numbers::pi;
  const double want[] = {pi, pi, 3 * pi / 4, 2 * pi / 3, 115 * pi / 192, 11 * pi / 20};
  for (int power = 1; power <= 6; ++power) CHECK(std::abs(sinc_integral(power) - want[power - 1]) < 1e-14);
  CHECK(std::abs(sinc_integral(16) / std::sqrt(6 * pi / 16) - 1) < 0.02);  // sinc^n tends to exp(-n x^2 / 6)
  check_says(error_of([] { sinc_integral(0); }), "the power must be 1 to 16, got 0");
  check_says(error_of([] { sinc_integral(17); }), "got 17");
}

TEST_CASE("kernel_density equals a plain loop") {
  for (const DType dtype : {f32, f64}) {
    const Tensor sample = points(301, 3, 1, dtype), at = points(57, 3, 2, dtype);
    for (const int power : {1, 2, 3, 4, 7}) {
      const long double factor = 1.7L / sinc_integral(power);
      const auto want =
          density_loop(sample, at, [&](long double z) { return factor * std::pow(sinc(1.7L * z), power); });
      const auto d =
          largest_difference(kernel_density(sample, at, fourier_kernel(1.7, power)).to_vector<double>(), want);
      CHECK_MESSAGE(d.relative < 1e-12, d.str());
    }
    const long double factor = 1 / (std::sqrt(2 * std::numbers::pi_v<long double>) * 0.4L);
    const auto want = density_loop(sample, at, [&](long double z) { return factor * gaussian(0.4L)(z); });
    const auto d = largest_difference(kernel_density(sample, at, gaussian_kernel(0.4)).to_vector<double>(), want);
    CHECK_MESSAGE(d.relative < 1e-12, d.str());
  }
}

TEST_CASE("kernel_density on a grid is that at its points") {
  const Tensor sample = points(200, 2, 3);
  const std::vector<double> x{-1.5, 0, 0.25}, y{-2, -1, 0.5, 3};
  std::vector<double> grid;
  for (const double a : x)
    for (const double b : y) grid.insert(grid.end(), {a, b});
  for (const Kernel& kernel : {fourier_kernel(3), fourier_kernel(3, 4), gaussian_kernel(0.3)}) {
    const Tensor got = kernel_density(sample, x, y, kernel);
    CHECK(got.shape() == Shape{3, 4});
    const Tensor want = kernel_density(sample, Tensor::from(grid, {12, 2}), kernel);
    const auto d = largest_difference(got.to_vector<double>(), want.to_vector<double>());
    CHECK_MESSAGE(d.relative < 1e-12, d.str());
  }
  check_says(error_of([] { kernel_density(points(5, 3, 1), {0}, {0}, gaussian_kernel(1)); }), "must be (N, D)");
}

TEST_CASE("densities integrate to 1") {
  const Tensor sample = points(20, 1, 4);
  const auto integral = [&](const Kernel& kernel, double edge, double step) {
    std::vector<double> at;
    for (double x = -edge + step / 2; x < edge; x += step) at.push_back(x);
    const auto n = static_cast<std::int64_t>(at.size());
    return sum(kernel_density(sample, Tensor::from(at, {n, 1}), kernel)).item<double>() * step;
  };
  CHECK(std::abs(integral(gaussian_kernel(0.3), 10, 0.01) - 1) < 1e-10);
  CHECK(std::abs(integral(fourier_kernel(5, 4), 100, 0.05) - 1) < 1e-6);
  CHECK(std::abs(integral(fourier_kernel(5, 2), 400, 0.05) - 1) < 1e-3);  // the tails fall as 1 / x^2
  CHECK(std::abs(integral(fourier_kernel(5, 1), 400, 0.05) - 1) < 1e-2);  // they oscillate, and fall as 1 / x
}

TEST_CASE("regressions equal a plain loop") {
  for (const auto& [dtype, tolerance] : {std::pair{f64, 1e-11}, {f32, 1e-4}}) {
    const Tensor sample = points(301, 3, 5, dtype), at = points(57, 3, 6, dtype),
                 values = flatten(points(301, 1, 7, dtype));
    for (const int power : {1, 2, 4}) {
      const auto want = regression_loop(sample, values, at, fourier(1.3L, power));
      const auto d = largest_difference(fourier_regression(sample, values, at, 1.3, power).to_vector<double>(), want);
      CHECK_MESSAGE(d.absolute < tolerance, d.str());
    }
    const auto want = regression_loop(sample, values, at, gaussian(0.3L));
    const auto d = largest_difference(gaussian_regression(sample, values, at, 0.3).to_vector<double>(), want);
    CHECK_MESSAGE(d.absolute < tolerance, d.str());
  }
}

TEST_CASE("regression of a constant is the constant, however far from the sample") {
  const Tensor sample = points(50, 2, 8), at = points(20, 2, 9) * 40.0;  // weights down to exp(-3e7)
  const Tensor values = Tensor::empty({50}, f64);
  values.fill(3.25);
  for (const Tensor& got : {fourier_regression(sample, values, at, 2), gaussian_regression(sample, values, at, 0.01)})
    for (const double y : got.to_vector<double>()) CHECK(std::abs(y - 3.25) < 1e-13);
}

TEST_CASE("estimates are the same to the last bit at any thread count") {
  const Tensor sample = points(2000, 2, 10), at = points(500, 2, 11), values = flatten(points(2000, 1, 12));
  const auto all = [&] {
    std::vector<double> result;
    for (const Tensor& part : {kernel_density(sample, at, fourier_kernel(4)),
                               kernel_density(sample, {0, 1, 2}, {0, 1}, gaussian_kernel(0.1)),
                               fourier_regression(sample, values, at, 4), gaussian_regression(sample, values, at, 0.1)})
      for (const double y : part.to_vector<double>()) result.push_back(y);
    return result;
  };
  set_num_threads(1);
  const auto one = all();
  for (const int threads : {2, 4}) {
    set_num_threads(threads);
    CHECK(same_bits(all(), one));
  }
}

TEST_CASE("estimates refuse what makes no sense") {
  const Tensor sample = points(5, 2, 1), values = flatten(points(5, 1, 1));
  check_says(error_of([&] { kernel_density(sample, points(3, 1, 1), gaussian_kernel(1)); }), "(5, 2) and (3, 1)");
  check_says(error_of([&] { kernel_density(points(0, 2, 1), sample, gaussian_kernel(1)); }), "(0, 2)");
  check_says(error_of([&] { kernel_density(cast(sample, i64), sample, gaussian_kernel(1)); }), "not i64 and f64");
  check_says(error_of([&] { gaussian_kernel(0); }), "the bandwidth must be positive, got 0");
  check_says(error_of([&] { fourier_kernel(-1); }), "the radius must be positive, got -1");
  check_says(error_of([&] { fourier_kernel(NAN); }), "got nan");
  check_says(error_of([&] { fourier_regression(sample, values, sample, 0); }), "the radius must be positive");
  check_says(error_of([&] { fourier_regression(sample, values, sample, 1, 0.5); }), "the power must be at least 1");
  check_says(error_of([&] { gaussian_regression(sample, narrow(values, 0, 0, 4), sample, 1); }), "must be (5)");
  check_says(error_of([&] { gaussian_regression(sample, cast(values, f32), sample, 1); }), "f32");
}

TEST_CASE("cross_validation predicts each fold from the others") {
  const Tensor sample = points(23, 2, 13), values = flatten(points(23, 1, 14));
  const auto x = sample.to_vector<double>(), v = values.to_vector<double>();
  for (const std::size_t folds : {2u, 5u, 23u}) {
    double want = 0;
    for (std::size_t i = 0; i < 23; ++i) {
      double weights = 0, weighed = 0;
      for (std::size_t j = 0; j < 23; ++j) {
        if (i % folds == j % folds) continue;
        const double dx = x[2 * i] - x[2 * j], dy = x[2 * i + 1] - x[2 * j + 1],
                     w = std::exp(-(dx * dx + dy * dy) / 0.5);
        weights += w, weighed += w * v[j];
      }
      want += (weighed / weights - v[i]) * (weighed / weights - v[i]) / 23;
    }
    const double got = cross_validation(gaussian_regression, sample, values, 0.5, static_cast<std::int64_t>(folds));
    CHECK(std::abs(got / want - 1) < 1e-10);
  }
  check_says(error_of([&] { cross_validation(gaussian_regression, sample, values, 1, 24); }), "24 folds of 23 rows");
}

TEST_CASE("least takes the first of the best, never a NaN") {
  const auto loss = [](double x) { return x == 1 ? NAN : std::abs(x - 3) < 1.5 ? 0.5 : 2; };
  CHECK(least({1, 5, 2, 4}, loss).parameter == 2);
  CHECK(least({1, 5}, loss).loss == 2);
  check_says(error_of([&] { least({1}, loss); }), "none of 1 parameters has a loss");
  const auto grid = geometric_grid(0.5, 32, 7);
  const auto d = largest_difference(grid, std::vector<double>{0.5, 1, 2, 4, 8, 16, 32});
  CHECK_MESSAGE(d.relative < 1e-14, d.str());
}
