#pragma once

#include <cstdint>

#include "ff/core/dtype.h"
#include "ff/core/shape.h"

namespace ff::cpu {

/// Functions of one element. They take f32 and f64, and neg, abs, sign, square, relu and the roundings integers too;
/// bitwise_not takes integers, the predicates anything.
enum class Unary {
  neg,
  abs,
  sign,
  square,
  floor,
  ceil,
  round,  ///< to the nearest integer, halves to the even one
  trunc,
  frac,  ///< x - trunc(x)
  sqrt,
  rsqrt,
  reciprocal,
  exp,
  exp2,
  expm1,
  log,
  log2,
  log10,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  sigmoid,
  erf,
  erfc,
  lgamma,          ///< log|Gamma(x)|
  digamma,         ///< its derivative
  trigamma,        ///< its second
  tetragamma,      ///< its third
  sinc,            ///< sin(x) / x, 1 at 0
  log_sinc,        ///< log|sin(x) / x|, 0 at 0, -inf at the zeros
  log_sinc_grad,   ///< its derivative c(x) = cot(x) - 1/x, 0 at 0, finite everywhere
  log_sinc_grad2,  ///< c'(x) = 1/x^2 - 1/sin(x)^2, -1/3 at 0
  relu,
  gelu,       ///< x Phi(x), Phi the normal distribution's function
  gelu_tanh,  ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  silu,       ///< x sigmoid(x)
  softplus,   ///< log(1 + exp(x))
  mish,       ///< x tanh(softplus(x))
  bitwise_not,
  isnan,
  isinf,
  isfinite,
  logical_not,  ///< of booleans only
};

/// Functions of two elements of the same dtype. The arithmetic ones give that dtype, the comparisons boolean.
enum class Binary {
  add,
  sub,
  mul,
  div,  ///< of integers: towards 0
  pow,
  maximum,
  minimum,
  atan2,         ///< floating only
  remainder,     ///< a - b floor(a / b): of b's sign
  fmod,          ///< a - b trunc(a / b): of a's sign
  floor_divide,  ///< floor(a / b)
  bitwise_and,   ///< this and the next four: integers only
  bitwise_or,
  bitwise_xor,
  left_shift,      ///< 0 for a count that is negative or not below the number of bits
  right_shift,     ///< that of the sign: its limit for such a count
  relu_grad,       ///< (x, dy) -> dy where x > 0, else 0
  gelu_grad,       ///< (x, dy) -> dy (Phi(x) + x phi(x))
  gelu_tanh_grad,  ///< (x, dy) -> dy times the slope of gelu_tanh; the next three likewise
  silu_grad,
  softplus_grad,
  mish_grad,
  tanh_grad,     ///< (y, dy) -> dy (1 - y^2)
  sigmoid_grad,  ///< (y, dy) -> dy y (1 - y)
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  logical_and,  ///< this and the next two: booleans only
  logical_or,
  logical_xor,
};

constexpr bool gives_boolean(Unary op) { return op >= Unary::isnan; }
constexpr bool gives_boolean(Binary op) { return op >= Binary::eq; }

/// y = op(x), y dense of the given shape and of x's dtype, or boolean for predicates, x read through its strides (in
/// elements; 0 repeats). y may be x where that is dense. Elements are independent: any layout that is dense up to a
/// permutation may be passed as a flat shape.
void unary(Unary op, DType dtype, const Shape& shape, const void* x, const Strides& x_strides, void* y);

/// y = op(a, b), y dense; of a and b's dtype, or boolean for comparisons. y may be a or b where that is dense. Integers
/// wrap around; a quotient or remainder by 0 is 0.
void binary(Binary op, DType dtype, const Shape& shape, const void* a, const Strides& a_strides, const void* b,
            const Strides& b_strides, void* y);

/// y = condition ? a : b, condition boolean, y dense of a and b's dtype.
void where(DType dtype, const Shape& shape, const std::uint8_t* condition, const Strides& condition_strides,
           const void* a, const Strides& a_strides, const void* b, const Strides& b_strides, void* y);

/// Copies x to y, both strided, x's strides of either sign, converting from one dtype to the other as C++ does (to
/// boolean: x != 0; a floating value outside an integer's range, or NaN, gives the nearest representable one, NaN 0).
void copy(DType from, DType to, const Shape& shape, const void* x, const Strides& x_strides, void* y,
          const Strides& y_strides);

/// Sets n elements to value, converted as copy() does.
void fill(DType dtype, std::int64_t n, void* y, double value);

/// y += alpha x, n dense elements, f32 or f64: what optimisers and gradient accumulation do in place.
void axpy(DType dtype, std::int64_t n, double alpha, const void* x, void* y);

/// y *= alpha, n dense elements, f32 or f64.
void scale(DType dtype, std::int64_t n, double alpha, void* y);

}  // namespace ff::cpu
