#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/models/regression/comparison.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

constexpr auto kinds = {Density::mixture, Density::banana, Density::ring};

// The integral of f times a density.
template <class F>
double expectation(const DependentData& density, F f) {
  const auto box = density.box();
  const double step = density.spread() / 8;
  double total = 0;
  for (double x = box.x_low + step / 2; x < box.x_high; x += step)
    for (double y = box.y_low + step / 2; y < box.y_high; y += step) total += f(x, y) * density(x, y) * step * step;
  return total;
}

}  // namespace

TEST_CASE("dependent data: densities integrate to 1, and samples are of them") {
  for (const Density kind : kinds)
    for (const double spread : {0.1, 0.3, 1.0}) {
      const DependentData density(kind, spread);
      CAPTURE(spread);
      CHECK(std::abs(expectation(density, [](double, double) { return 1; }) - 1) < 2e-4);
      const std::int64_t n = 20000;
      const auto sample = density.sample(n, {5, 0}).to_vector<double>();
      const auto check_mean = [&](auto f) {
        const double want = expectation(density, f),
                     square = expectation(density, [&](double x, double y) { return f(x, y) * f(x, y); });
        double got = 0;
        for (std::size_t i = 0; i < sample.size(); i += 2) got += f(sample[i], sample[i + 1]) / static_cast<double>(n);
        CHECK(std::abs(got - want) < 5 * std::sqrt((square - want * want) / static_cast<double>(n)) + 1e-3);
      };
      check_mean([](double x, double) { return x; });
      check_mean([](double, double y) { return y; });
      check_mean([](double x, double y) { return x * x * y * y; });
      check_mean([](double x, double y) { return std::cos(x) * std::sin(y + x); });
    }
  check_says(error_of([] { DependentData(Density::ring, 0.01); }), "the spread must be 0.05 to 1, got 0.01");
}

TEST_CASE("dependent data: the key decides the sample") {
  const DependentData density(Density::mixture, 0.3);
  CHECK(same_bits(density.sample(9, {1, 0}).to_vector<double>(), density.sample(9, {1, 0}).to_vector<double>()));
  CHECK(density.sample(9, {1, 0}).to_vector<double>() != density.sample(9, {2, 0}).to_vector<double>());
}

TEST_CASE("compare_kernels takes the best parameters, and reports their errors") {
  // The criterion is least at 5 and 0.2, the error is N times what was chosen, and repeat 1 has 3 more.
  const auto trial = [](std::int64_t n, std::int64_t repeat) {
    const auto near = [](double best) { return [best](double x) { return std::abs(std::log(x / best)); }; };
    const auto error = [=](double x) { return static_cast<double>(n) * x + 3 * static_cast<double>(repeat); };
    return Trial{near(5), near(0.2), error, error};
  };
  std::size_t told = 0;
  const auto rows = compare_kernels({100, 400}, 2, trial, [&](const ComparisonRow&) { ++told; });
  REQUIRE(rows.size() == 2);
  CHECK(told == 2);
  for (const ComparisonRow& row : rows) {
    const auto n = static_cast<double>(row.n);
    CHECK(std::abs(std::log(row.fourier.parameter / 5)) < 0.1);
    CHECK(std::abs(std::log(row.gaussian.parameter / 0.2)) < 0.1);
    CHECK(std::abs(row.fourier.mean - n * row.fourier.parameter - 1.5) < 1e-9);
    CHECK(std::abs(row.fourier.deviation - 3 / std::sqrt(2)) < 1e-9);
  }
  const double grown = rows[0].fourier.parameter * std::sqrt(std::log(400) / std::log(100));
  CHECK(std::abs(rows[1].theory.parameter - grown) < 1e-12);
  CHECK(std::abs(rows[1].theory.mean - 400 * grown - 1.5) < 1e-9);
  CHECK(rows[0].theory.mean == rows[0].fourier.mean);
  CHECK(compare_kernels({100}, 1, trial).at(0).fourier.deviation == 0);
  check_says(error_of([&] { compare_kernels({400, 100}, 1, trial); }), "ascending sizes");
}

TEST_CASE("a flat spectrum beats a Gaussian kernel on a smooth density, its even powers equal it") {
  const DependentData density(Density::mixture, 0.3);
  const auto ratio = [&](int power) {
    const auto rows = compare_kernels({4000}, 2, [&](std::int64_t n, std::int64_t repeat) {
      return density_trial(density, n, power, {7, static_cast<std::uint64_t>(repeat) << 40});
    });
    return rows[0].fourier.mean / rows[0].gaussian.mean;
  };
  const double flat = ratio(1), even = ratio(4);
  MESSAGE("integrated squared error, of a Gaussian kernel's: ", flat, " by sinc, ", even, " by sinc^4");
  CHECK(flat < 0.8);
  CHECK(even > 0.9);
  CHECK(even < 1.1);
}

TEST_CASE("regression_trial chooses by the sample alone, and learns a function") {
  const DependentData density(Density::ring, 0.2);
  const Tensor sample = density.sample(400, {3, 0}), points = density.sample(100, {4, 0});
  const Tensor truth = smooth_function(points), other = truth + 100.0;
  const auto row = [&](const Tensor& wanted) {
    return compare_kernels({400}, 1,
                           [&](std::int64_t, std::int64_t) {
                             return regression_trial(sample, smooth_function(sample), points, wanted, 4);
                           })
        .at(0);
  };
  const ComparisonRow right = row(truth), wrong = row(other);
  CHECK(right.fourier.mean < 0.05);
  CHECK(right.gaussian.mean < 0.05);
  CHECK(wrong.fourier.mean > 1000);
  CHECK(wrong.fourier.parameter == right.fourier.parameter);
  CHECK(wrong.gaussian.parameter == right.gaussian.parameter);
}
