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

}  // namespace ff::cpu
