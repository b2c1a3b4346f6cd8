#pragma once

// The logarithm of the gamma function and its derivatives, of one double: about 1e-15, relative to the value or, near
// the zeros at negative arguments, to 1.

namespace ff::cpu {

/// log|Gamma(x)|; infinite at 0, -1, -2, ...
double log_gamma(double x);
/// Its first derivative. At the poles 0 and -0 minus and plus infinity, NaN at the others.
double digamma(double x);
/// Its second; infinite at the poles.
double trigamma(double x);
/// Its third. At the poles as digamma.
double tetragamma(double x);

}  // namespace ff::cpu
