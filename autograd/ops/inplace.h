#pragma once

#include "ff/autograd/ops/operand.h"

namespace ff {

// Functions that overwrite their first argument with their result, and return it. x keeps its shape and dtype: what
// stands beside it broadcasts to it, and a result that its dtype cannot hold (a floating one in integers, a number in
// booleans) throws. x may have any strides, but not one of 0, which would have several elements share a place.
//
// With gradients: where x or another argument requires one and grad_enabled(), x becomes the result of the op, and
// backward() goes on to what x was before; hooks stay with that. An op that saved x before throws in its backward. A
// leaf that requires a gradient throws unless under NoGrad, and so does an x whose memory another tensor shares (a
// view, or what an op has saved for its backward), to which the change would not be told. Otherwise x is written to
// directly.

/// x += other, and likewise.
const Tensor& add_(const Tensor& x, const Operand& other, Where site = {});
const Tensor& sub_(const Tensor& x, const Operand& other, Where site = {});
const Tensor& mul_(const Tensor& x, const Operand& other, Where site = {});
/// True division: an integer x throws.
const Tensor& div_(const Tensor& x, const Operand& other, Where site = {});
const Tensor& pow_(const Tensor& x, const Operand& exponent, Where site = {});
const Tensor& remainder_(const Tensor& x, const Operand& divisor, Where site = {});
/// See clamp().
const Tensor& clamp_(const Tensor& x, const Operand& min, const Operand& max, Where site = {});

/// The elements of source, broadcast and converted to x's dtype, whatever it is.
const Tensor& copy_(const Tensor& x, const Tensor& source, Where site = {});
/// Every element value, converted to x's dtype.
const Tensor& fill_(const Tensor& x, double value, Where site = {});
const Tensor& zero_(const Tensor& x, Where site = {});
/// value, converted to x's dtype, where mask (boolean, broadcast to x) is true.
const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, double value, Where site = {});

/// The functions of the same names; those of reals throw for an integer x.
const Tensor& neg_(const Tensor& x, Where site = {});
const Tensor& abs_(const Tensor& x, Where site = {});
const Tensor& square_(const Tensor& x, Where site = {});
const Tensor& floor_(const Tensor& x, Where site = {});
const Tensor& ceil_(const Tensor& x, Where site = {});
const Tensor& round_(const Tensor& x, Where site = {});
const Tensor& trunc_(const Tensor& x, Where site = {});
const Tensor& sqrt_(const Tensor& x, Where site = {});
const Tensor& rsqrt_(const Tensor& x, Where site = {});
const Tensor& reciprocal_(const Tensor& x, Where site = {});
const Tensor& exp_(const Tensor& x, Where site = {});
const Tensor& log_(const Tensor& x, Where site = {});
const Tensor& sin_(const Tensor& x, Where site = {});
const Tensor& cos_(const Tensor& x, Where site = {});
const Tensor& tanh_(const Tensor& x, Where site = {});
const Tensor& sigmoid_(const Tensor& x, Where site = {});
const Tensor& relu_(const Tensor& x, Where site = {});

}  // namespace ff
