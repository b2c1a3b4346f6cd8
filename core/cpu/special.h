#pragma once

// Functions the C library lacks, of one double, to about 1e-15: elementwise operations on f64 and remainders of
// vectors.

#include <cmath>

namespace ff::cpu {

double sinc(double x);
double log_sinc(double x);
double log_sinc_grad(double x);
double log_sinc_grad2(double x);
/// The normal distribution's function and density.
double normal_function(double x);
double normal_density(double x);
/// 1 / (1 + exp(-x))
double sigmoid(double x);
/// log(1 + exp(x))
double softplus(double x);

// Activations as elementwise.h has them, and their derivatives; limits at infinity.

double gelu(double x);
double gelu_slope(double x);
double gelu_tanh(double x);
double gelu_tanh_slope(double x);
double silu(double x);
double silu_slope(double x);
double mish(double x);
double mish_slope(double x);

}  // namespace ff::cpu
