// Functions of one tensor, element by element.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Binary;
using cpu::Unary;

// Which of input and output the derivative is written with.
enum class Keeps { nothing, input, output };

// An elementwise op F with kernel op and `static Tensor gradient(const Tensor& kept, const Tensor& dy)`.
template <class F, Unary op, Keeps keeps>
struct UnaryOp : Function<F> {
  static Tensor forward(Context& ctx, const Tensor& x) {
    Tensor y = kernels::unary(op, x);
    if constexpr (keeps == Keeps::input) ctx.save({x});
    if constexpr (keeps == Keeps::output) ctx.save({y});
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    return {F::gradient(keeps == Keeps::nothing ? Tensor() : ctx.saved(0), dy)};
  }
};

// dy times the derivative in one pass over memory; the composition instead while a graph of it is asked for.
template <class Composed>
Tensor fused(Binary kernel, const Tensor& kept, const Tensor& dy, Composed composed) {
  return grad_enabled() ? composed() : kernels::binary("backward", kernel, kept, dy);
}

struct Neg : UnaryOp<Neg, Unary::neg, Keeps::nothing> {
  static constexpr const char* name = "neg";
  static Tensor gradient(const Tensor&, const Tensor& dy) { return neg(dy); }
};
struct Abs : UnaryOp<Abs, Unary::abs, Keeps::input> {
  static constexpr const char* name = "abs";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * kernels::unary(Unary::sign, x); }
};
struct Sign : UnaryOp<Sign, Unary::sign, Keeps::nothing> {
  static constexpr const char* name = "sign";
  static Tensor gradient(const Tensor&, const Tensor&) {
    fail(name, "is not differentiable: no gradient goes through it");
  }
};
struct Square : UnaryOp<Square, Unary::square, Keeps::input> {
  static constexpr const char* name = "square";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * x * 2; }
};
struct Sqrt : UnaryOp<Sqrt, Unary::sqrt, Keeps::output> {
  static constexpr const char* name = "sqrt";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy / (y * 2); }
};
struct Rsqrt : UnaryOp<Rsqrt, Unary::rsqrt, Keeps::output> {
  static constexpr const char* name = "rsqrt";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * y * square(y) * -0.5; }
};
struct Reciprocal : UnaryOp<Reciprocal, Unary::reciprocal, Keeps::output> {
  static constexpr const char* name = "reciprocal";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return neg(dy * square(y)); }
};
struct Exp : UnaryOp<Exp, Unary::exp, Keeps::output> {
  static constexpr const char* name = "exp";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * y; }
};
struct Expm1 : UnaryOp<Expm1, Unary::expm1, Keeps::output> {
  static constexpr const char* name = "expm1";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * (y + 1); }
};
struct Log : UnaryOp<Log, Unary::log, Keeps::input> {
  static constexpr const char* name = "log";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / x; }
};
struct Log1p : UnaryOp<Log1p, Unary::log1p, Keeps::input> {
  static constexpr const char* name = "log1p";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / (x + 1); }
};
struct Sin : UnaryOp<Sin, Unary::sin, Keeps::input> {
  static constexpr const char* name = "sin";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * cos(x); }
};
struct Cos : UnaryOp<Cos, Unary::cos, Keeps::input> {
  static constexpr const char* name = "cos";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return neg(dy * sin(x)); }
};
struct Tanh : UnaryOp<Tanh, Unary::tanh, Keeps::output> {
  static constexpr const char* name = "tanh";
  static Tensor gradient(const Tensor& y, const Tensor& dy) {
    return fused(Binary::tanh_grad, y, dy, [&] { return dy * (1 - square(y)); });
  }
};
struct Sigmoid : UnaryOp<Sigmoid, Unary::sigmoid, Keeps::output> {
  static constexpr const char* name = "sigmoid";
  static Tensor gradient(const Tensor& y, const Tensor& dy) {
    return fused(Binary::sigmoid_grad, y, dy, [&] { return dy * y * (1 - y); });
  }
};
struct Erf : UnaryOp<Erf, Unary::erf, Keeps::input> {
  static constexpr const char* name = "erf";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * exp(neg(square(x))) * 1.1283791670955126; }
};
// The chain log_sinc -> log_sinc_grad -> log_sinc_grad2 ends there: attention is differentiated twice.
struct LogSincGrad2 : UnaryOp<LogSincGrad2, Unary::log_sinc_grad2, Keeps::nothing> {
  static constexpr const char* name = "log_sinc_grad2";
  static Tensor gradient(const Tensor&, const Tensor&) {
    fail(name, "has no derivative: log_sinc is twice differentiable only");
  }
};
struct LogSincGrad : UnaryOp<LogSincGrad, Unary::log_sinc_grad, Keeps::input> {
  static constexpr const char* name = "log_sinc_grad";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * LogSincGrad2::apply(x); }
};
struct LogSinc : UnaryOp<LogSinc, Unary::log_sinc, Keeps::input> {
  static constexpr const char* name = "log_sinc";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * LogSincGrad::apply(x); }
};
// sinc'(x) = (cos x - sinc x) / x, which is sinc(x) (cot x - 1/x), without the difference of near equals around 0.
struct Sinc : UnaryOp<Sinc, Unary::sinc, Keeps::input> {
  static constexpr const char* name = "sinc";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * sinc(x) * LogSincGrad::apply(x); }
};
struct Relu : UnaryOp<Relu, Unary::relu, Keeps::input> {
  static constexpr const char* name = "relu";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::relu_grad, x, dy, [&] { return dy * cast(gt(x, 0), dy.dtype()); });
  }
};
struct Gelu : UnaryOp<Gelu, Unary::gelu, Keeps::input> {
  static constexpr const char* name = "gelu";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::gelu_grad, x, dy, [&] {
      const Tensor distribution = 0.5 * (1 + erf(x * 0.70710678118654752)),
                   density = exp(square(x) * -0.5) * 0.3989422804014327;
      return dy * (distribution + x * density);
    });
  }
};
struct Cast : Function<Cast> {
  static constexpr const char* name = "cast";
  DType from = f32;
  Tensor forward(Context&, const Tensor& x, DType dtype) {
    from = x.dtype();
    return x.copy(dtype);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {cast(dy, from)}; }
};

template <class Op>
Tensor of_numbers(const Tensor& x, Where site) {
  const CallSite here(site);
  check(x.dtype() != boolean, Op::name, "booleans have no arithmetic: cast them first");
  return Op::apply(x);
}

// Integers are converted to f32 first.
template <class Op>
Tensor of_reals(const Tensor& x, Where site) {
  const CallSite here(site);
  return Op::apply(kernels::floating(x));
}

}  // namespace

Tensor neg(const Tensor& x, Where site) { return of_numbers<Neg>(x, site); }
Tensor abs(const Tensor& x, Where site) { return of_numbers<Abs>(x, site); }
Tensor sign(const Tensor& x, Where site) { return of_numbers<Sign>(x, site); }
Tensor square(const Tensor& x, Where site) { return of_numbers<Square>(x, site); }
Tensor relu(const Tensor& x, Where site) { return of_reals<Relu>(x, site); }
Tensor sqrt(const Tensor& x, Where site) { return of_reals<Sqrt>(x, site); }
Tensor rsqrt(const Tensor& x, Where site) { return of_reals<Rsqrt>(x, site); }
Tensor reciprocal(const Tensor& x, Where site) { return of_reals<Reciprocal>(x, site); }
Tensor exp(const Tensor& x, Where site) { return of_reals<Exp>(x, site); }
Tensor expm1(const Tensor& x, Where site) { return of_reals<Expm1>(x, site); }
Tensor log(const Tensor& x, Where site) { return of_reals<Log>(x, site); }
Tensor log1p(const Tensor& x, Where site) { return of_reals<Log1p>(x, site); }
Tensor sin(const Tensor& x, Where site) { return of_reals<Sin>(x, site); }
Tensor cos(const Tensor& x, Where site) { return of_reals<Cos>(x, site); }
Tensor tanh(const Tensor& x, Where site) { return of_reals<Tanh>(x, site); }
Tensor sigmoid(const Tensor& x, Where site) { return of_reals<Sigmoid>(x, site); }
Tensor erf(const Tensor& x, Where site) { return of_reals<Erf>(x, site); }
Tensor sinc(const Tensor& x, Where site) { return of_reals<Sinc>(x, site); }
Tensor log_sinc(const Tensor& x, Where site) { return of_reals<LogSinc>(x, site); }
Tensor gelu(const Tensor& x, Where site) { return of_reals<Gelu>(x, site); }
Tensor cast(const Tensor& x, DType dtype, Where site) {
  const CallSite here(site);
  return x.dtype() == dtype ? x : Cast::apply(x, dtype);
}

std::vector<OpRecord> elementwise_ops() {
  auto record = [](std::string_view name, Tensor (*op)(const Tensor&, Where), double low, double high,
                   bool differentiable = true) {
    return OpRecord{name, differentiable, [=](Sampler& s) {
                      auto call = [op](const std::vector<Tensor>& in) { return op(in[0], {}); };
                      auto x = [&](const Shape& shape) { return s.uniform(shape, low, high); };
                      return std::vector<OpSample>{{"matrix", {x({3, 5})}, call},
                                                   {"scalar", {x({})}, call},
                                                   {"size 1", {x({1, 1, 1})}, call},
                                                   {"empty", {x({2, 0})}, call}};
                    }};
  };
  // Ops with a kink at 0 take values on both sides of it.
  auto kinked = [](std::string_view name, Tensor (*op)(const Tensor&, Where), bool differentiable = true) {
    return OpRecord{name, differentiable, [=](Sampler& s) {
                      auto call = [op](const std::vector<Tensor>& in) { return op(in[0], {}); };
                      return std::vector<OpSample>{{"both signs", {s.distinct({4, 5})}, call}};
                    }};
  };
  auto casting = [](Sampler& s) {
    return std::vector<OpSample>{{"f64, which finite differences need",
                                  {s.normal({2, 3})},
                                  [](const std::vector<Tensor>& in) { return Cast::apply(in[0], f64); }}};
  };
  return {record("neg", neg, -2, 2),
          kinked("abs", abs),
          kinked("sign", sign, false),
          record("square", square, -2, 2),
          record("sqrt", sqrt, 0.5, 3),
          record("rsqrt", rsqrt, 0.5, 3),
          record("reciprocal", reciprocal, 0.5, 3),
          record("exp", exp, -2, 2),
          record("expm1", expm1, -2, 2),
          record("log", log, 0.3, 4),
          record("log1p", log1p, -0.5, 3),
          record("sin", sin, -5, 5),
          record("cos", cos, -5, 5),
          record("tanh", tanh, -2, 2),
          record("sigmoid", sigmoid, -3, 3),
          record("erf", erf, -2, 2),
          record("sinc", sinc, -3, 3),
          record("log_sinc", log_sinc, -2.5, 2.5),
          kinked("relu", relu),
          record("gelu", gelu, -3, 3),
          {"cast", true, casting}};
}

}  // namespace ff
