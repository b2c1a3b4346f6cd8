#pragma once

#include "ff/autograd/ops/operand.h"

namespace ff {

// Comparisons give booleans, which have no gradient.

Tensor eq(const Operand& a, const Operand& b, Where site = {});
Tensor ne(const Operand& a, const Operand& b, Where site = {});
Tensor lt(const Operand& a, const Operand& b, Where site = {});
Tensor le(const Operand& a, const Operand& b, Where site = {});
Tensor gt(const Operand& a, const Operand& b, Where site = {});
Tensor ge(const Operand& a, const Operand& b, Where site = {});
Tensor logical_and(const Tensor& a, const Tensor& b, Where site = {});
Tensor logical_or(const Tensor& a, const Tensor& b, Where site = {});
Tensor logical_not(const Tensor& x, Where site = {});
/// a where condition (boolean) is true, b elsewhere; all three broadcast.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b, Where site = {});
/// x, with value where mask (boolean, broadcast to x) is true.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value, Where site = {});

}  // namespace ff
