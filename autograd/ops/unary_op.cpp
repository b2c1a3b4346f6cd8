#include "ff/autograd/ops/unary_op.h"

#include "ff/core/check.h"

namespace ff::kernels {

void fail_not_differentiable(const char* op) { fail(op, "is not differentiable: no gradient goes through it"); }

void check_numeric(const char* op, const Tensor& x) {
  check(x.dtype() != boolean, op, "booleans have no arithmetic: cast them first");
}

}  // namespace ff::kernels
