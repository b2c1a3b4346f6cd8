#include "ff/autograd/ops/kernels.h"

#include <cmath>

#include "ff/autograd/engine.h"
#include "ff/autograd/function.h"
#include "ff/core/check.h"
#include "ff/core/cpu/indexing.h"

namespace ff::kernels {
namespace {

// The same tensor as a node of its own.
struct Alias : Function<Alias> {
  static constexpr const char* name = "alias";
  static Tensor forward(Context&, const Tensor& x) { return x.as_strided(x.shape(), x.strides()); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy}; }
};

int kind(DType dtype) { return is_floating(dtype) ? 2 : dtype == boolean ? 0 : 1; }

}  // namespace

Tensor unary(cpu::Unary op, const Tensor& x) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  cpu::unary(op, x.dtype(), x.shape(), x.raw(), x.strides(), y.raw());
  return y;
}

Tensor binary(const char* name, cpu::Binary op, const Tensor& a, const Tensor& b) {
  const DType dtype = result_dtype(a, b);
  const Shape shape = broadcast_shapes(name, a.shape(), b.shape());
  const Tensor left = to(a, dtype), right = to(b, dtype);
  Tensor y = Tensor::empty(shape, cpu::gives_boolean(op) ? boolean : dtype);
  cpu::binary(op, dtype, shape, left.raw(), broadcast_strides(left.shape(), left.strides(), shape), right.raw(),
              broadcast_strides(right.shape(), right.strides(), shape), y.raw());
  return y;
}

Tensor to(const Tensor& x, DType dtype) { return x.dtype() == dtype ? x : x.copy(dtype); }

Tensor floating(const Tensor& x) { return is_floating(x.dtype()) ? x : x.copy(f32); }

DType result_dtype(const Tensor& a, const Tensor& b) {
  if (kind(a.dtype()) == kind(b.dtype()) && (a.rank() == 0) != (b.rank() == 0))
    return a.rank() == 0 ? b.dtype() : a.dtype();
  return promote(a.dtype(), b.dtype());
}

Tensor number(double value, const Tensor& x) {
  if (is_floating(x.dtype())) return Tensor::scalar(value, x.dtype());
  if (value != std::trunc(value)) return Tensor::scalar(value, f32);
  return Tensor::scalar(value, x.dtype() == boolean ? i64 : x.dtype());
}

void check_floating(const char* op, const Tensor& x) {
  check(is_floating(x.dtype()), op, "a floating tensor is needed, the dtype is {}", name(x.dtype()));
}

Tensor part(const Tensor& x, int dim, std::int64_t begin, std::int64_t count, std::int64_t step) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape[dim] = count;
  strides[dim] *= step;
  return x.as_strided(shape, strides, begin * x.strides()[dim]);
}

Tensor checked_index(const char* op, const Tensor& index, std::int64_t size) {
  check(index.dtype() == i64 || index.dtype() == i32, op, "indices must be i64 or i32: {}", name(index.dtype()));
  Tensor dense = to(index, i64).dense();
  const std::int64_t at = cpu::find_out_of_range(dense.numel(), dense.data<std::int64_t>(), size);
  check(at < 0, op, "index out of range: {} (entry {}), {} to choose from", at < 0 ? 0 : dense.data<std::int64_t>()[at],
        at, size);
  return dense;
}

Targets::Targets(const char* op, const Tensor& target, std::int64_t class_count, std::int64_t ignore_index) {
  check(target.dtype() == i64 || target.dtype() == i32, op, "targets must be i64 or i32: {}", name(target.dtype()));
  classes = to(target, i64).dense();
  const std::int64_t* values = classes.data<std::int64_t>();
  for (std::int64_t i = 0; i < classes.numel(); ++i) {
    if (values[i] == ignore_index) continue;
    check(values[i] >= 0 && values[i] < class_count, op, "target out of range: {} (entry {}), {} classes", values[i], i,
          class_count);
    ++counted;
  }
}

std::vector<Tensor> backward_of_composition(const std::function<Tensor(const std::vector<Tensor>&)>& composed,
                                            const std::vector<Tensor>& inputs, const Tensor& dy) {
  // Each input gets a node of its own: one tensor given as two arguments must not receive the sum of both gradients
  // twice.
  std::vector<Tensor> aliases = inputs, wanted;
  for (Tensor& alias : aliases)
    if (alias.defined() && alias.requires_grad()) wanted.push_back(alias = Alias::apply(alias));
  const std::vector<Tensor> found =
      grad({composed(aliases)}, wanted, {dy}, {.create_graph = true, .allow_unused = true});
  std::vector<Tensor> result(inputs.size());
  for (std::size_t i = 0, next = 0; i < inputs.size(); ++i)
    if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = found[next++];
  return result;
}

}  // namespace ff::kernels
