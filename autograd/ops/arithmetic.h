#pragma once

#include "ff/autograd/ops/operand.h"

namespace ff {

/// Sum, difference and product of elements. Elementwise functions of two tensors, or of one and a number: both
/// broadcast, and are converted to their common dtype. Of two booleans, add and maximum are "or", mul and minimum
/// "and"; the others throw.
Tensor add(const Operand& a, const Operand& b, Where site = {});
Tensor sub(const Operand& a, const Operand& b, Where site = {});
Tensor mul(const Operand& a, const Operand& b, Where site = {});
/// True division: integers are converted to f32.
Tensor div(const Operand& a, const Operand& b, Where site = {});
/// a^b; NaN for a negative a and a b that is no integer. Of two integers an integer, which wraps around as products do;
/// throws if such a b is negative.
Tensor pow(const Operand& a, const Operand& b, Where site = {});
/// Elementwise larger (smaller) one; NaN where either is. Where equal, each gets half the gradient.
Tensor maximum(const Operand& a, const Operand& b, Where site = {});
Tensor minimum(const Operand& a, const Operand& b, Where site = {});

/// x, but min where below it and max where above it (max wins where min > max); NaN stays. x gets the gradient where it
/// lies in [min, max], elsewhere the bound that was taken. An infinite number bounds nothing.
Tensor clamp(const Tensor& x, const Operand& min, const Operand& max, Where site = {});
Tensor clamp_min(const Tensor& x, const Operand& min, Where site = {});
Tensor clamp_max(const Tensor& x, const Operand& max, Where site = {});

/// floor(a / b), of the common dtype. Integers throw where b is 0, here and in the next two. Not differentiable: going
/// backward through it throws.
Tensor floor_divide(const Operand& a, const Operand& b, Where site = {});
/// a - b floor(a / b), exact: of b's sign and less in magnitude. The gradients are 1 and -floor(a / b).
Tensor remainder(const Operand& a, const Operand& b, Where site = {});
/// a - b trunc(a / b), exact: of a's sign. The gradients are 1 and -trunc(a / b).
Tensor fmod(const Operand& a, const Operand& b, Where site = {});

/// The angle of the point (x, y) to the first axis, in [-pi, pi]; integers are converted to f32.
Tensor atan2(const Operand& y, const Operand& x, Where site = {});

/// Bits of integers, or booleans. Throw for floating dtypes.
Tensor bitwise_and(const Operand& a, const Operand& b, Where site = {});
Tensor bitwise_or(const Operand& a, const Operand& b, Where site = {});
Tensor bitwise_xor(const Operand& a, const Operand& b, Where site = {});
/// a 2^b, bits shifted out being lost, and floor(a / 2^b), of integers. A b that is negative or no less than the number
/// of bits shifts them all out.
Tensor bitwise_left_shift(const Operand& a, const Operand& b, Where site = {});
Tensor bitwise_right_shift(const Operand& a, const Operand& b, Where site = {});

Tensor operator+(const Operand& a, const Operand& b);
Tensor operator-(const Operand& a, const Operand& b);
Tensor operator*(const Operand& a, const Operand& b);
Tensor operator/(const Operand& a, const Operand& b);
/// neg()
Tensor operator-(const Operand& x);

}  // namespace ff
