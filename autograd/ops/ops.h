#pragma once

/// Every public function of tensors. Conventions: arguments broadcast as NumPy's do; mixed dtypes are promoted
/// (see promote()); a number takes the tensor's dtype, or f32 if it has a fraction and the tensor is integral;
/// dimensions count from the end where negative; results never alias an argument unless said to be a view. Bad
/// arguments throw Error("[op] what was wrong: the values (at the caller's line)"): that is what the last argument,
/// `site`, is for, which nobody passes.

#include "ff/autograd/ops/activation.h"
#include "ff/autograd/ops/arithmetic.h"
#include "ff/autograd/ops/arrange.h"
#include "ff/autograd/ops/attention.h"
#include "ff/autograd/ops/compare.h"
#include "ff/autograd/ops/convolution.h"
#include "ff/autograd/ops/creation.h"
#include "ff/autograd/ops/dropout.h"
#include "ff/autograd/ops/einsum.h"
#include "ff/autograd/ops/elementwise.h"
#include "ff/autograd/ops/glu.h"
#include "ff/autograd/ops/indexing.h"
#include "ff/autograd/ops/inplace.h"
#include "ff/autograd/ops/interpolate.h"
#include "ff/autograd/ops/join.h"
#include "ff/autograd/ops/loss.h"
#include "ff/autograd/ops/matmul.h"
#include "ff/autograd/ops/norm.h"
#include "ff/autograd/ops/operand.h"
#include "ff/autograd/ops/pad.h"
#include "ff/autograd/ops/pooling.h"
#include "ff/autograd/ops/random.h"
#include "ff/autograd/ops/reduce.h"
#include "ff/autograd/ops/rotary.h"
#include "ff/autograd/ops/scan.h"
#include "ff/autograd/ops/scatter.h"
#include "ff/autograd/ops/search.h"
#include "ff/autograd/ops/shape.h"
#include "ff/autograd/ops/slice.h"
#include "ff/autograd/ops/softmax.h"
#include "ff/autograd/ops/sort.h"
#include "ff/autograd/ops/subscript.h"
#include "ff/autograd/ops/triangle.h"
