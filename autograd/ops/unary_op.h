#pragma once

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"

/// What elementwise ops of one tensor are made of.
namespace ff::kernels {

/// Which of input and output the derivative is written with.
enum class Keeps { nothing, input, output };

/// An op F with kernel op, a name and `static Tensor gradient(const Tensor& kept, const Tensor& dy)`.
template <class F, cpu::Unary op, Keeps keeps>
struct UnaryOp : Function<F> {
  static Tensor forward(Context& ctx, const Tensor& x) {
    Tensor y = unary(op, x);
    if constexpr (keeps == Keeps::input) ctx.save({x});
    if constexpr (keeps == Keeps::output) ctx.save({y});
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    return {F::gradient(keeps == Keeps::nothing ? Tensor() : ctx.saved(0), dy)};
  }
};

/// Throws Error("[op] is not differentiable: ...").
[[noreturn]] void fail_not_differentiable(const char* op);
/// Throws Error("[op] ...") if x is boolean.
void check_numeric(const char* op, const Tensor& x);

/// A step function: no gradient goes through it.
template <class F, cpu::Unary op>
struct StepOp : UnaryOp<F, op, Keeps::nothing> {
  static Tensor gradient(const Tensor&, const Tensor&) { fail_not_differentiable(F::name); }
};

/// dy times the derivative in one pass over memory; the composition instead while a graph of it is asked for.
template <class Composed>
Tensor fused(cpu::Binary kernel, const Tensor& kept, const Tensor& dy, Composed composed) {
  return grad_enabled() ? composed() : binary("backward", kernel, kept, dy);
}

/// Op of a number of any dtype but boolean.
template <class Op>
Tensor of_numbers(const Tensor& x, Where site) {
  const CallSite here(site);
  check_numeric(Op::name, x);
  return Op::apply(x);
}

/// Op of a floating tensor; integers and booleans are converted to f32 first.
template <class Op>
Tensor of_reals(const Tensor& x, Where site) {
  const CallSite here(site);
  return Op::apply(floating(x));
}

}  // namespace ff::kernels
