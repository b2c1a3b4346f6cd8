#pragma once

#include "ff/autograd/ops/operand.h"

namespace ff {

/// Elements compared: booleans, which have no gradient, as those of the predicates below. NaN is unequal to all.
Tensor eq(const Operand& a, const Operand& b, Where site = {});
Tensor ne(const Operand& a, const Operand& b, Where site = {});
Tensor lt(const Operand& a, const Operand& b, Where site = {});
Tensor le(const Operand& a, const Operand& b, Where site = {});
Tensor gt(const Operand& a, const Operand& b, Where site = {});
Tensor ge(const Operand& a, const Operand& b, Where site = {});
/// Of tensors of any dtype: what is not 0 is true, NaN too.
Tensor logical_and(const Tensor& a, const Tensor& b, Where site = {});
Tensor logical_or(const Tensor& a, const Tensor& b, Where site = {});
Tensor logical_xor(const Tensor& a, const Tensor& b, Where site = {});
Tensor logical_not(const Tensor& x, Where site = {});
/// Of tensors of any dtype; integers are all finite.
Tensor isnan(const Tensor& x, Where site = {});
Tensor isinf(const Tensor& x, Where site = {});
Tensor isfinite(const Tensor& x, Where site = {});
/// a where condition (boolean) is true, b elsewhere; all three broadcast.
Tensor where(const Tensor& condition, const Operand& a, const Operand& b, Where site = {});
/// x, with value where mask (boolean, broadcast to x) is true.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value, Where site = {});

}  // namespace ff
