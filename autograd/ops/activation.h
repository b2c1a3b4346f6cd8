#pragma once

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// Activations of neural networks, element by element, with PyTorch's names and defaults. Where nothing else is said,
// floating dtypes are kept, and integers and booleans converted to f32 first. A gradient at a kink is that of the left
// side.

/// 1 / (1 + exp(-x))
Tensor sigmoid(const Tensor& x, Where site = {});
/// log(sigmoid(x)), which is x for a large negative x.
Tensor logsigmoid(const Tensor& x, Where site = {});
/// log(1 + exp(beta x)) / beta, and x itself where beta x > threshold. beta must be positive.
Tensor softplus(const Tensor& x, double beta = 1, double threshold = 20, Where site = {});
/// x / (1 + |x|)
Tensor softsign(const Tensor& x, Where site = {});

/// max(x, 0), of x's dtype; the gradient at 0 is 0. Throws for booleans.
Tensor relu(const Tensor& x, Where site = {});
/// x where x > 0, else negative_slope x.
Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01, Where site = {});
/// x where x > 0, else weight x (He et al. 2015). weight is of one element, or 1-D with one for each of x's channels:
/// along its dimension 1.
Tensor prelu(const Tensor& x, const Tensor& weight, Where site = {});
/// x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2016).
Tensor elu(const Tensor& x, double alpha = 1, Where site = {});
/// 1.0507... times elu(x, 1.6733...), which keeps mean 0 and variance 1 (Klambauer et al. 2017).
Tensor selu(const Tensor& x, Where site = {});
/// x where x > 0, else alpha (exp(x / alpha) - 1), of continuous slope (Barron 2017). alpha must be positive.
Tensor celu(const Tensor& x, double alpha = 1, Where site = {});

/// Forms of gelu().
enum class GeluForm {
  exact,  ///< x Phi(x), Phi the distribution function of the normal distribution, by erf
  tanh    ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is within 5e-4 of it
};
/// Gaussian error linear unit, in the exact form where none is given (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x, Where site = {});
Tensor gelu(const Tensor& x, GeluForm form, Where site = {});
/// x sigmoid(x), also called swish (Elfwing et al. 2018).
Tensor silu(const Tensor& x, Where site = {});
/// x tanh(log(1 + exp(x))) (Misra 2020).
Tensor mish(const Tensor& x, Where site = {});

/// x, but low below low and high above high; there, and at both, the gradient is 0. low must be less than high.
Tensor hardtanh(const Tensor& x, double low = -1, double high = 1, Where site = {});
/// hardtanh(x, 0, 6)
Tensor relu6(const Tensor& x, Where site = {});
/// relu6(x + 3) / 6
Tensor hardsigmoid(const Tensor& x, Where site = {});
/// x hardsigmoid(x) (Howard et al. 2019).
Tensor hardswish(const Tensor& x, Where site = {});

/// x where |x| > lambd, else 0. lambd must not be negative.
Tensor hardshrink(const Tensor& x, double lambd = 0.5, Where site = {});
/// x moved towards 0 by lambd, 0 where it would pass it. lambd must not be negative.
Tensor softshrink(const Tensor& x, double lambd = 0.5, Where site = {});
/// x - tanh(x)
Tensor tanhshrink(const Tensor& x, Where site = {});
/// x where x > threshold, else value.
Tensor threshold(const Tensor& x, double threshold, double value, Where site = {});

}  // namespace ff
