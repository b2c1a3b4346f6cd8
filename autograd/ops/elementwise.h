#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

Tensor neg(const Tensor& x, Where site = {});
Tensor abs(const Tensor& x, Where site = {});
/// -1, 0 or 1. Not differentiable.
Tensor sign(const Tensor& x, Where site = {});
Tensor square(const Tensor& x, Where site = {});
Tensor sqrt(const Tensor& x, Where site = {});
/// 1 / sqrt(x)
Tensor rsqrt(const Tensor& x, Where site = {});
/// 1 / x
Tensor reciprocal(const Tensor& x, Where site = {});
Tensor exp(const Tensor& x, Where site = {});
/// exp(x) - 1, accurate near 0.
Tensor expm1(const Tensor& x, Where site = {});
Tensor log(const Tensor& x, Where site = {});
/// log(1 + x), accurate near 0.
Tensor log1p(const Tensor& x, Where site = {});
Tensor sin(const Tensor& x, Where site = {});
Tensor cos(const Tensor& x, Where site = {});
Tensor tanh(const Tensor& x, Where site = {});
/// 1 / (1 + exp(-x))
Tensor sigmoid(const Tensor& x, Where site = {});
/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(const Tensor& x, Where site = {});
/// sin(x) / x, 1 at 0: the unnormalised sinc (NumPy's and PyTorch's is sinc(pi x)).
Tensor sinc(const Tensor& x, Where site = {});
/// log|sin(x) / x|, 0 at 0, -inf at the zeros of the sine. Its derivative cot(x) - 1/x is kept finite there. Twice
/// differentiable.
Tensor log_sinc(const Tensor& x, Where site = {});
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x, Where site = {});
/// x Phi(x), Phi the distribution function of the normal distribution: the exact (erf) form of Hendrycks and Gimpel
/// 2016.
Tensor gelu(const Tensor& x, Where site = {});
/// The same elements in another dtype.
Tensor cast(const Tensor& x, DType dtype, Where site = {});

}  // namespace ff
