#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ff/core/random.h"
#include "ff/core/tensor.h"

/// The differentiable functions of tensors. Conventions: arguments broadcast as NumPy's do; mixed dtypes are promoted
/// (see promote()); a number takes the tensor's dtype, or f32 if it has a fraction and the tensor is integral;
/// dimensions count from the end where negative; results never alias an argument unless said to be a view. Bad
/// arguments throw Error("[op] ...").
namespace ff {

/// Dimensions of a reduction; empty: all of them.
using Dims = std::vector<int>;

// ---------------------------------------------------------------------------------------------------- creation

struct TensorOptions {
  DType dtype = f32;
  bool requires_grad = false;
};

Tensor empty(const Shape& shape, const TensorOptions& options = {});
Tensor zeros(const Shape& shape, const TensorOptions& options = {});
Tensor ones(const Shape& shape, const TensorOptions& options = {});
Tensor full(const Shape& shape, double value, const TensorOptions& options = {});
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// begin, begin + step, ... below end (above, for a negative step); 1-D.
Tensor arange(double begin, double end, double step = 1, const TensorOptions& options = {});
/// count evenly spaced values from begin to end inclusive; 1-D.
Tensor linspace(double begin, double end, std::int64_t count, const TensorOptions& options = {});
/// Identity matrix (n, n).
Tensor eye(std::int64_t n, const TensorOptions& options = {});
/// Uniform in [0, 1), from default_generator().
Tensor rand(const Shape& shape, const TensorOptions& options = {});
/// Standard normal, from default_generator().
Tensor randn(const Shape& shape, const TensorOptions& options = {});
/// Uniform integers in [low, high); i64 unless another integer dtype is asked for.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = i64);
/// A random permutation of 0 .. n-1, i64.
Tensor randperm(std::int64_t n);

// ------------------------------------------------------------------------------------------------- arithmetic

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
/// True division: integers are converted to f32.
Tensor div(const Tensor& a, const Tensor& b);
/// a^b, floating; NaN for a negative a and a b that is no integer.
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, double b);
/// Elementwise larger (smaller) one; NaN where either is. Where equal, each gets half the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor neg(const Tensor& x);
Tensor abs(const Tensor& x);
/// -1, 0 or 1. Not differentiable.
Tensor sign(const Tensor& x);
Tensor square(const Tensor& x);
Tensor sqrt(const Tensor& x);
/// 1 / sqrt(x)
Tensor rsqrt(const Tensor& x);
/// 1 / x
Tensor reciprocal(const Tensor& x);

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& x);
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);

// -------------------------------------------------------------------------------------- functions of an element

Tensor exp(const Tensor& x);
/// exp(x) - 1, accurate near 0.
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
/// log(1 + x), accurate near 0.
Tensor log1p(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
/// 1 / (1 + exp(-x))
Tensor sigmoid(const Tensor& x);
/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(const Tensor& x);
/// sin(x) / x, 1 at 0: the unnormalised sinc (NumPy's and PyTorch's is sinc(pi x)).
Tensor sinc(const Tensor& x);
/// log|sin(x) / x|, 0 at 0, -inf at the zeros of the sine. Its derivative cot(x) - 1/x is kept finite there. Twice
/// differentiable.
Tensor log_sinc(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// x Phi(x), Phi the distribution function of the normal distribution: the exact (erf) form of Hendrycks and Gimpel
/// 2016.
Tensor gelu(const Tensor& x);
/// The same elements in another dtype.
Tensor cast(const Tensor& x, DType dtype);

// ------------------------------------------------------------------------ comparison, choice (boolean, no gradient)

Tensor eq(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, double b);
Tensor ne(const Tensor& a, double b);
Tensor lt(const Tensor& a, double b);
Tensor le(const Tensor& a, double b);
Tensor gt(const Tensor& a, double b);
Tensor ge(const Tensor& a, double b);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
/// a where condition (boolean) is true, b elsewhere; all three broadcast.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
/// x, with value where mask (boolean, broadcast to x) is true.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

// -------------------------------------------------------------------------------------------------- reductions

/// Over dims, all where empty; a reduced dimension goes, or stays as 1 with keepdim. Integers are summed as i64.
Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// x summed over the dimensions along which a tensor of shape was broadcast: the adjoint of broadcast_to.
Tensor sum_to(const Tensor& x, const Shape& shape);
Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Variance with the divisor n - correction.
Tensor var(const Tensor& x, const Dims& dims = {}, std::int64_t correction = 1, bool keepdim = false);
/// Largest (smallest) entries; the gradient is shared evenly between equals. Throws Error over an empty extent.
Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Index of the largest (smallest) entry along dim, the first of equals; i64.
Tensor argmax(const Tensor& x, int dim, bool keepdim = false);
Tensor argmin(const Tensor& x, int dim, bool keepdim = false);
/// Of booleans.
Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// log sum exp x, without overflow.
Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim = false);

// ------------------------------------------------------------------------------------------------------- shapes

/// One size may be -1: whatever is left. A view where the layout allows, else a copy.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Dimensions begin to end (inclusive) made one.
Tensor flatten(const Tensor& x, int begin = 0, int end = -1);
/// Dimension i of the result is dims[i] of x. A view.
Tensor permute(const Tensor& x, const Dims& dims);
/// Two dimensions exchanged. A view.
Tensor transpose(const Tensor& x, int a, int b);
/// A new dimension of size 1 before dim. A view.
Tensor unsqueeze(const Tensor& x, int dim);
/// Dimension dim, which must be 1, dropped. A view.
Tensor squeeze(const Tensor& x, int dim);
/// Repeated, without a copy, to shape. A view; do not write to it.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// begin, begin + step, ... below end along dim; begin and end count from the end where negative, and are clamped to
/// the size, as in Python; step >= 1. A view.
Tensor slice(const Tensor& x, int dim, std::int64_t begin, std::int64_t end = INT64_MAX, std::int64_t step = 1);
/// Entry index along dim, which goes. A view.
Tensor select(const Tensor& x, int dim, std::int64_t index);
/// Dense: itself where it is, else a copy.
Tensor contiguous(const Tensor& x);
/// A dense copy.
Tensor clone(const Tensor& x);
/// One after the other along dim; the other sizes must agree.
Tensor concatenate(const std::vector<Tensor>& tensors, int dim = 0);
/// Along a new dimension dim; all sizes must agree.
Tensor stack(const std::vector<Tensor>& tensors, int dim = 0);
/// Pieces of the given sizes along dim. Views.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim = 0);
/// The entries along dim, which goes. Views.
std::vector<Tensor> unbind(const Tensor& x, int dim = 0);

// ----------------------------------------------------------------------------------------------------- indexing

/// Entries index (1-D, i64 or i32) of x along dim. Throws Error where an index is out of range.
Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// y[.., j, ..] = x[.., index[.., j, ..], ..] along dim; index has x's shape but along dim.
Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// Zeros of size `size` along dim, to which x[.., j, ..] is added at index[.., j, ..] (index of x's shape). The adjoint
/// of gather.
Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size);
/// Zeros of size `size` along dim, to which entry j of x along dim is added at index[j]. The adjoint of index_select.
Tensor index_add(const Tensor& x, int dim, const Tensor& index, std::int64_t size);
/// Rows of weight (V, D) by index of any shape S: (S, D).
Tensor embedding(const Tensor& index, const Tensor& weight);
/// index (i64) of shape S to (S, classes) of zeros and ones, i64.
Tensor one_hot(const Tensor& index, std::int64_t classes);

// ------------------------------------------------------------------------------------------------ linear algebra

/// Matrix product over the last two dimensions, the others broadcast as batches; 1-D arguments are a row on the left, a
/// column on the right. Floating dtypes.
Tensor matmul(const Tensor& a, const Tensor& b);
/// x weight^T + bias: x (.., I), weight (O, I), bias (O) or undefined; (.., O).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// ------------------------------------------------------------------------------------------------------ networks

/// exp(x) / sum exp(x) along dim. A row of all -inf gives 0.
Tensor softmax(const Tensor& x, int dim);
/// log softmax(x), without underflow.
Tensor log_softmax(const Tensor& x, int dim);
/// Over the last shape.rank() dimensions, which must be `shape`: (x - mean) / sqrt(var + eps) * weight + bias, the
/// variance biased (Ba, Kiros, Hinton 2016). weight and bias of that shape, or undefined.
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

struct Conv2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};
};
/// Cross-correlation: x (B, C, H, W), weight (O, C, h, w), bias (O) or undefined; (B, O, H', W'),
/// H' = (H + 2 padding - dilation (h - 1) - 1) / stride + 1. Zeros outside.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {});

/// Each element 0 with probability p, else times 1 / (1 - p) (Srivastava et al. 2014); x itself if p = 0. 0 <= p < 1.
Tensor dropout(const Tensor& x, double p, Generator& generator = default_generator());
/// The factors that dropout multiplies by: 0 or 1 / (1 - p), floating; element i is decided by word i of the stretch.
Tensor dropout_mask(const Shape& shape, double p, RandomKey key, DType dtype = f32);

enum class Loss { mean, sum, none };

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;  ///< targets of this class count for nothing
  double label_smoothing = 0;        ///< share of the target spread evenly over all classes, in [0, 1]
  Loss reduction = Loss::mean;       ///< over the targets that are not ignored; the mean of none is NaN, as in PyTorch
};
/// -log softmax(logits)[target]: logits (C), (N, C) or (N, C, ..) with the classes in dimension 1, as in PyTorch, and
/// targets (), (N) or (N, ..), i64 or i32.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});
/// (a - b)^2, reduced.
Tensor mse_loss(const Tensor& a, const Tensor& b, Loss reduction = Loss::mean);

// ----------------------------------------------------------------------------------------------------- attention

struct SoftmaxAttentionOptions {
  bool causal = false;                ///< query i of N sees key j of M only where j <= i + M - N
  Tensor mask{};                      ///< boolean, broadcasts to (B, H, N, M): true where a query may see a key
  double dropout = 0;                 ///< probability that a weight is dropped, the others scaled to keep the mean
  std::optional<RandomKey> random{};  ///< what decides; default: the next stretch of default_generator()
  std::optional<double> scale{};      ///< default 1 / sqrt(D)
};
/// Weights softmax_j(scale q_i . k_j) of values: q (B, H, N, D), k (B, H, M, D), v (B, H, M, E) to (B, H, N, E). A
/// query that sees no key gives 0. Never holds an N x M array.
Tensor softmax_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                         const SoftmaxAttentionOptions& options = {});

struct FourierAttentionOptions {
  double power = 4;     ///< p >= 1
  double epsilon = 0;   ///< weights K / (sum K + epsilon); 1e-6 reproduces the published models
  bool causal = false;  ///< these four as in SoftmaxAttentionOptions
  Tensor mask{};
  double dropout = 0;
  std::optional<RandomKey> random{};
};
/// Generalised Fourier integral attention (Nguyen et al. 2022): o_i = sum_j w_ij v_j, w_ij = K_ij / sum_j K_ij,
/// K_ij = prod_d |sinc(R_d (q_id - k_jd))|^p, sinc(x) = sin(x) / x. Shapes as softmax_attention; R, the radius, is a
/// scalar, (D) or (H, D), learnable. Computed on log K: the weights sum to 1 however small K is. A query that sees no
/// key, or only zeros of K, gives 0. Never holds an N x M array.
Tensor fourier_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                         const FourierAttentionOptions& options = {});

/// The same two as compositions of plain differentiable ops, for reading and for checking the fused kernels against;
/// they hold N x M (and N x M x D) arrays.
Tensor softmax_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v,
                                  const SoftmaxAttentionOptions& options = {});
Tensor fourier_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                                  const FourierAttentionOptions& options = {});
/// The weights w (B, H, N, M) of fourier_attention, before dropout.
Tensor fourier_attention_weights(const Tensor& q, const Tensor& k, const Tensor& R,
                                 const FourierAttentionOptions& options = {});

}  // namespace ff
