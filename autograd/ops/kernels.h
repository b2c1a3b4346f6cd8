#pragma once

#include <functional>
#include <vector>

#include "ff/core/cpu/elementwise.h"
#include "ff/core/tensor.h"

/// Between ops and kernels: tensors in, tensors out, unknown to autograd.
namespace ff::kernels {

/// A dense result of x's dtype.
Tensor unary(cpu::Unary op, const Tensor& x);
/// The arguments broadcast and converted to their common dtype; the result dense.
Tensor binary(const char* name, cpu::Binary op, const Tensor& a, const Tensor& b);
/// x in dtype: itself where it has it.
Tensor to(const Tensor& x, DType dtype);
/// x, converted to f32 where it is not floating.
Tensor floating(const Tensor& x);
/// The common dtype, as PyTorch's: that of promote(), but a zero-dimensional tensor does not widen one of the same
/// kind.
DType result_dtype(const Tensor& a, const Tensor& b);
/// A zero-dimensional tensor for a number beside x.
Tensor number(double value, const Tensor& x);
/// Throws Error("[name] ...") unless x is f32 or f64.
void check_floating(const char* name, const Tensor& x);
/// `count` entries along dim from begin on, every step-th: a view unknown to autograd.
Tensor part(const Tensor& x, int dim, std::int64_t begin, std::int64_t count, std::int64_t step = 1);
/// index as dense i64. Throws Error("[name] ...") unless it is i32 or i64 and every entry lies in [0, size).
Tensor checked_index(const char* name, const Tensor& index, std::int64_t size);

/// Targets of a loss as dense i64, each a class or ignored, and how many are not ignored. Throws Error("[op] ...")
/// where one is neither, or the dtype is not i32 or i64.
struct Targets {
  Tensor classes;
  std::int64_t counted = 0;

  Targets(const char* op, const Tensor& target, std::int64_t class_count, std::int64_t ignore_index);
};

/// The backward pass of a fused op while a graph of it is asked for: the gradients of composed(inputs) with respect to
/// inputs, weighted by dy, as differentiable tensors.
std::vector<Tensor> backward_of_composition(const std::function<Tensor(const std::vector<Tensor>&)>& composed,
                                            const std::vector<Tensor>& inputs, const Tensor& dy);

}  // namespace ff::kernels
