#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// -x, of x's dtype; throws for booleans, as do the next six, which keep integers too.
Tensor neg(const Tensor& x, Where site = {});
Tensor abs(const Tensor& x, Where site = {});
Tensor square(const Tensor& x, Where site = {});
/// -1, 0 or 1. Not differentiable: going backward through a step throws, here and in the next four.
Tensor sign(const Tensor& x, Where site = {});
/// The largest integer not above x.
Tensor floor(const Tensor& x, Where site = {});
/// The smallest integer not below x.
Tensor ceil(const Tensor& x, Where site = {});
/// The nearest integer; halves to the even one.
Tensor round(const Tensor& x, Where site = {});
/// x without its fraction.
Tensor trunc(const Tensor& x, Where site = {});
/// The fraction of x: x - trunc(x), of x's sign. The gradient is 1.
Tensor frac(const Tensor& x, Where site = {});

/// The square root. Elementwise functions keep floating dtypes and, where nothing else is said, convert integers and
/// booleans to f32 first. Outside their domain they give NaN, at poles infinities, as C's math.h has them.
Tensor sqrt(const Tensor& x, Where site = {});
/// 1 / sqrt(x)
Tensor rsqrt(const Tensor& x, Where site = {});
/// 1 / x
Tensor reciprocal(const Tensor& x, Where site = {});

/// e^x
Tensor exp(const Tensor& x, Where site = {});
/// 2^x
Tensor exp2(const Tensor& x, Where site = {});
/// exp(x) - 1, accurate near 0.
Tensor expm1(const Tensor& x, Where site = {});
/// The natural logarithm.
Tensor log(const Tensor& x, Where site = {});
/// Logarithms to the bases 2 and 10.
Tensor log2(const Tensor& x, Where site = {});
Tensor log10(const Tensor& x, Where site = {});
/// log(1 + x), accurate near 0.
Tensor log1p(const Tensor& x, Where site = {});

/// Trigonometric functions and their inverses, of and in radians.
Tensor sin(const Tensor& x, Where site = {});
Tensor cos(const Tensor& x, Where site = {});
Tensor tan(const Tensor& x, Where site = {});
Tensor asin(const Tensor& x, Where site = {});
Tensor acos(const Tensor& x, Where site = {});
Tensor atan(const Tensor& x, Where site = {});

/// Hyperbolic functions and their inverses.
Tensor sinh(const Tensor& x, Where site = {});
Tensor cosh(const Tensor& x, Where site = {});
Tensor tanh(const Tensor& x, Where site = {});
Tensor asinh(const Tensor& x, Where site = {});
Tensor acosh(const Tensor& x, Where site = {});
Tensor atanh(const Tensor& x, Where site = {});

/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(const Tensor& x, Where site = {});
/// 1 - erf(x), accurate in its tail.
Tensor erfc(const Tensor& x, Where site = {});
/// log|Gamma(x)|. Three times differentiable.
Tensor lgamma(const Tensor& x, Where site = {});
/// The derivative of lgamma. Twice differentiable.
Tensor digamma(const Tensor& x, Where site = {});

/// sin(x) / x, 1 at 0: the unnormalised sinc (NumPy's and PyTorch's is sinc(pi x)).
Tensor sinc(const Tensor& x, Where site = {});
/// log|sin(x) / x|, 0 at 0, -inf at the zeros of the sine. Its derivative cot(x) - 1/x is kept finite there. Twice
/// differentiable.
Tensor log_sinc(const Tensor& x, Where site = {});

/// Every bit of an integer turned over; logical_not() of booleans. Throws for floating tensors.
Tensor bitwise_not(const Tensor& x, Where site = {});

/// The same elements in another dtype.
Tensor cast(const Tensor& x, DType dtype, Where site = {});

}  // namespace ff
