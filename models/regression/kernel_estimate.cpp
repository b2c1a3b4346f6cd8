#include "ff/models/regression/kernel_estimate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/special.h"
#include "ff/core/parallel.h"

namespace ff::models {
namespace {

constexpr int largest_power = 16;
constexpr std::int64_t grain_pairs = 1 << 14;  // pairs of a point and a member of the sample that make a task

void check_rows(const char* op, const Tensor& sample, const Tensor& points) {
  check(sample.rank() == 2 && points.rank() == 2 && sample.size(1) == points.size(1) && sample.numel() > 0, op,
        "a sample must be (N, D), points (M, D); their shapes are {} and {}", sample.shape().str(),
        points.shape().str());
  check(is_floating(sample.dtype()) && is_floating(points.dtype()), op, "floating numbers are needed, not {} and {}",
        name(sample.dtype()), name(points.dtype()));
}

void check_positive(const char* op, const char* what, double value) {
  check(value > 0 && std::isfinite(value), op, "{} must be positive, got {}", what, value);
}

// kernel(x_i - y_j) for numbers x (X) and y, (N) of them `step` apart: f64 (X, N).
Tensor kernel_matrix(const std::vector<double>& x, const double* y, std::int64_t n, std::int64_t step,
                     const Kernel& kernel) {
  const Tensor matrix = Tensor::empty({static_cast<std::int64_t>(x.size()), n}, f64);
  parallel_for(matrix.size(0), std::max<std::int64_t>(1, grain_pairs / n), [&](std::int64_t begin, std::int64_t end) {
    double* out = matrix.data<double>() + begin * n;
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t j = 0; j < n; ++j) *out++ = kernel(x[static_cast<std::size_t>(i)] - y[j * step]);
  });
  return matrix;
}

// Arguments of an attention with one head: points are its queries, the sample its keys, to each of which a value
// belongs.
void check_regression(const char* op, const Tensor& sample, const Tensor& values, const Tensor& points) {
  check_rows(op, sample, points);
  check(values.shape() == Shape{sample.size(0)} && values.dtype() == sample.dtype() && points.dtype() == sample.dtype(),
        op, "the values of a sample of {} must be ({}), all of one dtype; they are {} {}, sample and points {} and {}",
        sample.size(0), sample.size(0), name(values.dtype()), values.shape().str(), name(sample.dtype()),
        name(points.dtype()));
}

Tensor as_head(const Tensor& rows) { return reshape(rows, {1, 1, rows.size(0), -1}); }

double to_power(double t, int power) {
  double product = 1;
  for (; power > 0; power /= 2, t *= t)
    if (power % 2 == 1) product *= t;
  return product;
}

}  // namespace

// The integral over half the line is pi / (2^n (n - 1)!) sum_k (-1)^k C(n, k) (n - 2 k)^(n - 1), 2 k < n (Bromwich).
double sinc_integral(int power) {
  check(power >= 1 && power <= largest_power, "sinc_integral", "the power must be 1 to {}, got {}", largest_power,
        power);
  double sum = 0, binomial = 1, factorial = 1;
  for (int k = 0; 2 * k < power; ++k) {
    sum += (k % 2 == 0 ? 1 : -1) * binomial * to_power(power - 2 * k, power - 1);
    binomial *= static_cast<double>(power - k) / (k + 1);
  }
  for (int k = 2; k < power; ++k) factorial *= k;
  return std::numbers::pi * sum / (std::ldexp(factorial, power - 1));
}

Kernel fourier_kernel(double radius, int power) {
  check_positive("fourier_kernel", "the radius", radius);
  const double factor = radius / sinc_integral(power);
  return [=](double z) { return factor * to_power(cpu::sinc(radius * z), power); };
}

Kernel gaussian_kernel(double bandwidth) {
  check_positive("gaussian_kernel", "the bandwidth", bandwidth);
  const double factor = std::numbers::inv_sqrtpi / std::numbers::sqrt2 / bandwidth;
  const double rate = -0.5 / (bandwidth * bandwidth);
  return [=](double z) { return factor * std::exp(rate * z * z); };
}

// The factors of R / A are multiplied one by one: neither R^D nor the product of the sincs can leave the range of a
// double by itself.
Tensor kernel_density(const Tensor& sample, const Tensor& points, const Kernel& kernel) {
  check_rows("kernel_density", sample, points);
  const Tensor members = sample.copy(f64), at = points.copy(f64), out = Tensor::empty({points.size(0)}, f64);
  const std::int64_t n = sample.size(0), dim = sample.size(1), grain = std::max<std::int64_t>(1, grain_pairs / n);
  parallel_for(points.size(0), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double *point = at.data<double>() + i * dim, *member = members.data<double>();
      double sum = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        double product = 1;
        for (std::int64_t d = 0; d < dim; ++d) product *= kernel(point[d] - *member++);
        sum += product;
      }
      out.data<double>()[i] = sum / static_cast<double>(n);
    }
  });
  return out;
}

Tensor kernel_density(const Tensor& sample, const std::vector<double>& x, const std::vector<double>& y,
                      const Kernel& kernel) {
  check_rows("kernel_density", sample, Tensor::empty({0, 2}, f64));
  const Tensor members = sample.copy(f64);
  const std::int64_t n = sample.size(0);
  const NoGrad no_grad;
  const Tensor rows = kernel_matrix(x, members.data<double>(), n, 2, kernel);
  const Tensor columns = kernel_matrix(y, members.data<double>() + 1, n, 2, kernel);
  return matmul(rows, transpose(columns, 0, 1)) / static_cast<double>(n);
}

Tensor fourier_regression(const Tensor& sample, const Tensor& values, const Tensor& points, double radius,
                          double power) {
  constexpr const char* op = "fourier_regression";
  check_regression(op, sample, values, points);
  check_positive(op, "the radius", radius);
  const Tensor r = Tensor::scalar(radius, sample.dtype());
  return flatten(fourier_attention(as_head(points), as_head(sample), as_head(values), r, {.power = power}));
}

// -|x - y|^2 / 2 h^2 = x . y / h^2 - |y|^2 / 2 h^2 - |x|^2 / 2 h^2, the last being the same for all of the sample: a
// product of x / h and y / h with a feature more. Centred, so that the sums cancel little.
Tensor gaussian_regression(const Tensor& sample, const Tensor& values, const Tensor& points, double bandwidth) {
  constexpr const char* op = "gaussian_regression";
  check_regression(op, sample, values, points);
  check_positive(op, "the bandwidth", bandwidth);
  const Tensor centre = mean(sample, {0}, true);
  const Tensor x = (points - centre) / bandwidth, y = (sample - centre) / bandwidth;
  const Tensor ones = Tensor::empty({points.size(0), 1}, x.dtype());
  ones.fill(1);
  const Tensor q = concatenate({x, ones}, 1), k = concatenate({y, -0.5 * sum(square(y), {1}, true)}, 1);
  return flatten(softmax_attention(as_head(q), as_head(k), as_head(values), {.scale = 1}));
}

std::vector<double> geometric_grid(double low, double high, int n) {
  check(n >= 2 && low > 0 && low < high && std::isfinite(high), "geometric_grid",
        "at least 2 numbers from low to high, 0 < low < high, are needed: {} from {} to {}", n, low, high);
  std::vector<double> grid;
  for (int i = 0; i < n; ++i) grid.push_back(low * std::pow(high / low, static_cast<double>(i) / (n - 1)));
  return grid;
}

Choice least(const std::vector<double>& parameters, const std::function<double(double)>& loss) {
  Choice best{0, INFINITY};
  bool found = false;
  for (const double parameter : parameters) {
    const double value = loss(parameter);
    if (std::isnan(value) || (found && value >= best.loss)) continue;
    best = {parameter, value};
    found = true;
  }
  check(found, "least", "none of {} parameters has a loss", parameters.size());
  return best;
}

double cross_validation(const Regression& regression, const Tensor& sample, const Tensor& values, double parameter,
                        std::int64_t folds) {
  constexpr const char* op = "cross_validation";
  check(sample.rank() == 2 && values.rank() == 1 && values.size(0) == sample.size(0), op,
        "a sample must be (N, D), its values (N); their shapes are {} and {}", sample.shape().str(),
        values.shape().str());
  const std::int64_t n = sample.size(0);
  check(folds >= 2 && folds <= n, op, "{} folds of {} rows", folds, n);
  const NoGrad no_grad;
  double squares = 0;
  for (std::int64_t fold = 0; fold < folds; ++fold) {
    std::vector<std::int64_t> inside, outside;
    for (std::int64_t i = 0; i < n; ++i) (i % folds == fold ? inside : outside).push_back(i);
    const auto rows = [](const Tensor& x, const std::vector<std::int64_t>& which) {
      return index_select(x, 0, Tensor::from(which, {static_cast<std::int64_t>(which.size())}));
    };
    const Tensor predicted = regression(rows(sample, outside), rows(values, outside), rows(sample, inside), parameter);
    squares += sum(square(predicted - rows(values, inside))).item<double>();
  }
  return squares / static_cast<double>(n);
}

}  // namespace ff::models
