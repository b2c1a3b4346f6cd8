#include "ff/models/regression/comparison.h"

#include <algorithm>
#include <cmath>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/models/statistics.h"

namespace ff::models {
namespace {

constexpr int candidates = 28;

// The middles of equal cells from low to high, at most `width` wide.
std::vector<double> middles(double low, double high, double width) {
  const double count = std::ceil((high - low) / width);
  std::vector<double> values;
  for (double i = 0.5; i < count; ++i) values.push_back(low + (high - low) * i / count);
  return values;
}

double mean_square(const Tensor& x) { return mean(square(x)).item<double>(); }

// The errors of one estimator, as they come.
struct Collected {
  std::vector<double> errors, parameters;

  void add(double error, double parameter) { errors.push_back(error), parameters.push_back(parameter); }

  Errors summary() const {
    double logs = 0;
    for (const double parameter : parameters) logs += std::log(parameter);
    const Spread of_errors = spread(errors);
    return {of_errors.mean, of_errors.deviation, std::exp(logs / static_cast<double>(parameters.size()))};
  }
};

}  // namespace

Trial density_trial(const DependentData& density, std::int64_t n, int power, RandomKey key) {
  check(n >= 1, "density_trial", "a sample needs at least a point, got {}", n);
  const DependentData::Box box = density.box();
  const double width = density.spread() / 4;
  const auto x = middles(box.x_low, box.x_high, width), y = middles(box.y_low, box.y_high, width);
  const Tensor truth = Tensor::empty({static_cast<std::int64_t>(x.size()), static_cast<std::int64_t>(y.size())}, f64);
  double* out = truth.data<double>();
  for (const double at_x : x)
    for (const double at_y : y) *out++ = density(at_x, at_y);
  const double area = (box.x_high - box.x_low) * (box.y_high - box.y_low);
  const auto error = [=, sample = density.sample(n, key)](const Kernel& kernel) {
    return area * mean_square(kernel_density(sample, x, y, kernel) - truth);
  };
  const auto fourier = [=](double radius) { return error(fourier_kernel(radius, power)); };
  const auto gaussian = [=](double bandwidth) { return error(gaussian_kernel(bandwidth)); };
  return {fourier, gaussian, fourier, gaussian};
}

Trial regression_trial(const Tensor& sample, const Tensor& values, const Tensor& points, const Tensor& truth,
                       double power) {
  const Regression fourier = [power](const Tensor& x, const Tensor& v, const Tensor& at, double radius) {
    return fourier_regression(x, v, at, radius, power);
  };
  const Regression gaussian = gaussian_regression;
  const auto criterion = [=](const Regression& regression) {
    return [=](double parameter) { return cross_validation(regression, sample, values, parameter); };
  };
  const auto error = [=](const Regression& regression) {
    return [=](double parameter) { return mean_square(regression(sample, values, points, parameter) - truth); };
  };
  return {criterion(fourier), criterion(gaussian), error(fourier), error(gaussian)};
}

std::vector<ComparisonRow> compare_kernels(const std::vector<std::int64_t>& sizes, std::int64_t repeats,
                                           const std::function<Trial(std::int64_t, std::int64_t)>& trial,
                                           const std::function<void(const ComparisonRow&)>& on_row) {
  check(!sizes.empty() && sizes.front() >= 2 && std::is_sorted(sizes.begin(), sizes.end()) && repeats >= 1,
        "compare_kernels", "ascending sizes of at least 2 and a repeat are needed: {} sizes, {} repeats", sizes.size(),
        repeats);
  const NoGrad no_grad;
  const auto radii = geometric_grid(0.5, 100, candidates), bandwidths = geometric_grid(0.01, 2, candidates);
  std::vector<ComparisonRow> rows;
  for (const std::int64_t n : sizes) {
    const double rate = std::sqrt(std::log(static_cast<double>(n)));
    Collected fourier, gaussian, theory;
    for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
      const Trial one = trial(n, repeat);
      const double radius = least(radii, one.fourier_criterion).parameter;
      const double bandwidth = least(bandwidths, one.gaussian_criterion).parameter;
      fourier.add(one.fourier_error(radius), radius);
      gaussian.add(one.gaussian_error(bandwidth), bandwidth);
      if (rows.empty()) continue;
      const double first = std::sqrt(std::log(static_cast<double>(sizes.front())));
      const double expected = rows.front().fourier.parameter * rate / first;
      theory.add(one.fourier_error(expected), expected);
    }
    rows.push_back({n, fourier.summary(), gaussian.summary(), (rows.empty() ? fourier : theory).summary()});
    on_row(rows.back());
  }
  return rows;
}

}  // namespace ff::models
