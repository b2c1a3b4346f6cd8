#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ff/models/regression/dependent_data.h"
#include "ff/models/regression/kernel_estimate.h"

/// Fourier estimators beside those of a Gaussian kernel, each with its best parameter, from samples of growing size.
namespace ff::models {

/// What an estimate from one sample is worth, by the kernel's parameter.
struct Trial {
  using Loss = std::function<double(double)>;
  Loss fourier_criterion, gaussian_criterion;  ///< what the radius, the bandwidth is chosen by
  Loss fourier_error, gaussian_error;          ///< what is then reported
};

/// Estimates of a density from n points: the integrated squared error, on a grid of cells of a quarter of the spread.
/// It is the criterion, too: both kernels have the best parameter there is for the sample.
Trial density_trial(const DependentData& density, std::int64_t n, int power, RandomKey key);

/// Estimates of a function from a sample (N, D) and its values (N): the mean squared error at other points. The
/// parameter is chosen by 10-fold cross-validation in the sample alone.
Trial regression_trial(const Tensor& sample, const Tensor& values, const Tensor& points, const Tensor& truth,
                       double power);

/// Errors of one estimator over several samples, and its parameters.
struct Errors {
  double mean = 0, deviation = 0;  ///< the deviation (n - 1) is 0 of a single sample
  double parameter = 0;            ///< geometric mean
};

struct ComparisonRow {
  std::int64_t n = 0;
  Errors fourier, gaussian;
  Errors theory;  ///< the Fourier estimator with R = c sqrt(log N), c being that of the first row's radii
};

/// A row for each of sizes, ascending, of `repeats` trials each; on_row is called as each is done. Radii are sought
/// from 0.5 to 100, bandwidths from 0.01 to 2: features should have a deviation of about 1.
std::vector<ComparisonRow> compare_kernels(
    const std::vector<std::int64_t>& sizes, std::int64_t repeats,
    const std::function<Trial(std::int64_t n, std::int64_t repeat)>& trial,
    const std::function<void(const ComparisonRow&)>& on_row = [](const ComparisonRow&) {});

}  // namespace ff::models
