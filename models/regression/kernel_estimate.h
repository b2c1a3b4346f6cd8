#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ff/core/tensor.h"

/// Kernel estimates of densities and of regression functions: the Fourier estimators of Nguyen et al. 2022 (sections 2
/// and 3), which FourierFormer's attention is one of, and Gaussian ones to compare them with. A sample is (N, D), what
/// it is evaluated at (M, D), both f32 or f64 and N, D >= 1. Densities are computed in f64, regressions, which are the
/// attentions of one head, in the dtype of what they are given. Neither holds N x M numbers.
namespace ff::models {

/// A kernel of one feature, of the difference; of several it is the product over them.
using Kernel = std::function<double(double)>;

/// R / A phi(sinc(R z)), phi(t) = t^power, A = sinc_integral(power), power 1 to 16. Odd powers keep the sign of the
/// sinc, so that a density may come out below 0. The spectrum of power 1 is flat where it is not 0, which makes the
/// bias vanish faster than any power of 1 / R where the density is smooth enough; that of power 4 falls as 1 / R^2, as
/// a Gaussian kernel's does with its bandwidth.
Kernel fourier_kernel(double radius, int power = 1);

/// exp(-z^2 / 2 h^2) / (sqrt(2 pi) h), h the bandwidth.
Kernel gaussian_kernel(double bandwidth);

/// p(x) = 1 / N sum_j prod_d kernel(x_d - sample_jd): (M).
Tensor kernel_density(const Tensor& sample, const Tensor& points, const Kernel& kernel);

/// The same of a sample (N, 2) at every point (x_i, y_j) of a grid: (X, Y). Takes X + Y evaluations of the kernel for
/// each of the sample, and holds (X + Y) x N numbers.
Tensor kernel_density(const Tensor& sample, const std::vector<double>& x, const std::vector<double>& y,
                      const Kernel& kernel);

/// f(x) = sum_j v_j w_j / sum_j w_j, w_j = prod_d |sinc(R (x_d - sample_jd))|^power, power >= 1, of values (N): (M).
/// The weights sum to 1 however small they are; 0 where all are 0. See fourier_attention().
Tensor fourier_regression(const Tensor& sample, const Tensor& values, const Tensor& points, double radius,
                          double power = 4);

/// The same with w_j = exp(-|x - sample_j|^2 / 2 h^2), h the bandwidth: (M).
Tensor gaussian_regression(const Tensor& sample, const Tensor& values, const Tensor& points, double bandwidth);

/// Integral of sinc(z)^power over the line, power >= 1: pi, pi, 3 pi / 4, 2 pi / 3, ...
double sinc_integral(int power);

/// n numbers from low to high, each the same multiple of the one before; n >= 2, 0 < low < high.
std::vector<double> geometric_grid(double low, double high, int n);

/// A parameter and what it is worth.
struct Choice {
  double parameter = 0, loss = 0;
};

/// The parameter of least loss, the first of equals; one whose loss is NaN is never it. Throws Error where there is
/// none.
Choice least(const std::vector<double>& parameters, const std::function<double(double)>& loss);

/// An estimate of a regression function: (sample, values, points, parameter) to (M).
using Regression = std::function<Tensor(const Tensor&, const Tensor&, const Tensor&, double)>;

/// Mean squared error of a regression in cross-validation: row i is in fold i mod folds, and each fold is predicted
/// from the others. 2 <= folds <= N; N of them leave one out. Rows should be in random order.
double cross_validation(const Regression& regression, const Tensor& sample, const Tensor& values, double parameter,
                        std::int64_t folds = 10);

}  // namespace ff::models
