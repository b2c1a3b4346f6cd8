#pragma once

#include <cstdint>

#include "ff/core/dtype.h"
#include "ff/core/shape.h"

namespace ff::cpu {

/// Functions of one element. The floating ones take and give f32 or f64; neg, abs, sign and square any numeric dtype.
enum class Unary {
  neg,
  abs,
  sign,
  square,
  sqrt,
  rsqrt,
  reciprocal,
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tanh,
  sigmoid,
  erf,
  sinc,            ///< sin(x) / x, 1 at 0
  log_sinc,        ///< log|sin(x) / x|, 0 at 0, -inf at the zeros
  log_sinc_grad,   ///< its derivative c(x) = cot(x) - 1/x, 0 at 0, finite everywhere
  log_sinc_grad2,  ///< c'(x) = 1/x^2 - 1/sin(x)^2, -1/3 at 0
  relu,
  gelu,         ///< x Phi(x), Phi the normal distribution's function
  logical_not,  ///< boolean to boolean
};

/// Functions of two elements of the same dtype. The arithmetic ones give that dtype, the comparisons boolean.
enum class Binary {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  relu_grad,     ///< (x, dy) -> dy where x > 0, else 0
  gelu_grad,     ///< (x, dy) -> dy (Phi(x) + x phi(x))
  tanh_grad,     ///< (y, dy) -> dy (1 - y^2)
  sigmoid_grad,  ///< (y, dy) -> dy y (1 - y)
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  logical_and,
  logical_or,  ///< boolean only
};

constexpr bool gives_boolean(Binary op) { return op >= Binary::eq; }

/// y = op(x), y dense of the given shape and of x's dtype, x read through its strides (in elements; 0 repeats).
/// Elements are independent: any layout that is dense up to a permutation may be passed as a flat shape.
void unary(Unary op, DType dtype, const Shape& shape, const void* x, const Strides& x_strides, void* y);

/// y = op(a, b), y dense; of a and b's dtype, or boolean for comparisons.
void binary(Binary op, DType dtype, const Shape& shape, const void* a, const Strides& a_strides, const void* b,
            const Strides& b_strides, void* y);

/// y = condition ? a : b, condition boolean, y dense of a and b's dtype.
void where(DType dtype, const Shape& shape, const std::uint8_t* condition, const Strides& condition_strides,
           const void* a, const Strides& a_strides, const void* b, const Strides& b_strides, void* y);

/// Copies x to y, both strided, converting from one dtype to the other as C++ does (to boolean: x != 0; a floating
/// value outside an integer's range, or NaN, gives the nearest representable one, NaN 0).
void copy(DType from, DType to, const Shape& shape, const void* x, const Strides& x_strides, void* y,
          const Strides& y_strides);

/// Sets n elements to value, converted as copy() does.
void fill(DType dtype, std::int64_t n, void* y, double value);

/// y += alpha x, n dense elements, f32 or f64: what optimisers and gradient accumulation do in place.
void axpy(DType dtype, std::int64_t n, double alpha, const void* x, void* y);

/// y *= alpha, n dense elements, f32 or f64.
void scale(DType dtype, std::int64_t n, double alpha, void* y);

}  // namespace ff::cpu
