#pragma once

#include "ff/autograd/ops/operand.h"

namespace ff {

Tensor add(const Operand& a, const Operand& b, Where site = {});
Tensor sub(const Operand& a, const Operand& b, Where site = {});
Tensor mul(const Operand& a, const Operand& b, Where site = {});
/// True division: integers are converted to f32.
Tensor div(const Operand& a, const Operand& b, Where site = {});
/// a^b, floating; NaN for a negative a and a b that is no integer.
Tensor pow(const Operand& a, const Operand& b, Where site = {});
/// Elementwise larger (smaller) one; NaN where either is. Where equal, each gets half the gradient.
Tensor maximum(const Operand& a, const Operand& b, Where site = {});
Tensor minimum(const Operand& a, const Operand& b, Where site = {});

Tensor operator+(const Operand& a, const Operand& b);
Tensor operator-(const Operand& a, const Operand& b);
Tensor operator*(const Operand& a, const Operand& b);
Tensor operator/(const Operand& a, const Operand& b);
/// neg()
Tensor operator-(const Operand& x);

}  // namespace ff
