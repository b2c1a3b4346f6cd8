// Functions of one tensor, element by element.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/ops/unary_op.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Binary;
using cpu::Unary;
using kernels::fused;
using kernels::Keeps;
using kernels::of_numbers;
using kernels::of_reals;
using kernels::StepOp;
using kernels::UnaryOp;

constexpr double ln_2 = 0.6931471805599453, ln_10 = 2.302585092994046, two_over_sqrt_pi = 1.1283791670955126;

struct Neg : UnaryOp<Neg, Unary::neg, Keeps::nothing> {
  static constexpr const char* name = "neg";
  static Tensor gradient(const Tensor&, const Tensor& dy) { return neg(dy); }
};
struct Abs : UnaryOp<Abs, Unary::abs, Keeps::input> {
  static constexpr const char* name = "abs";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * kernels::unary(Unary::sign, x); }
};
struct Square : UnaryOp<Square, Unary::square, Keeps::input> {
  static constexpr const char* name = "square";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * x * 2; }
};
struct Sign : StepOp<Sign, Unary::sign> {
  static constexpr const char* name = "sign";
};
struct Floor : StepOp<Floor, Unary::floor> {
  static constexpr const char* name = "floor";
};
struct Ceil : StepOp<Ceil, Unary::ceil> {
  static constexpr const char* name = "ceil";
};
struct Round : StepOp<Round, Unary::round> {
  static constexpr const char* name = "round";
};
struct Trunc : StepOp<Trunc, Unary::trunc> {
  static constexpr const char* name = "trunc";
};
struct Frac : UnaryOp<Frac, Unary::frac, Keeps::nothing> {
  static constexpr const char* name = "frac";
  static Tensor gradient(const Tensor&, const Tensor& dy) { return dy; }
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
struct Exp2 : UnaryOp<Exp2, Unary::exp2, Keeps::output> {
  static constexpr const char* name = "exp2";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * y * ln_2; }
};
struct Expm1 : UnaryOp<Expm1, Unary::expm1, Keeps::output> {
  static constexpr const char* name = "expm1";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * (y + 1); }
};
struct Log : UnaryOp<Log, Unary::log, Keeps::input> {
  static constexpr const char* name = "log";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / x; }
};
struct Log2 : UnaryOp<Log2, Unary::log2, Keeps::input> {
  static constexpr const char* name = "log2";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / (x * ln_2); }
};
struct Log10 : UnaryOp<Log10, Unary::log10, Keeps::input> {
  static constexpr const char* name = "log10";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / (x * ln_10); }
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
struct Tan : UnaryOp<Tan, Unary::tan, Keeps::output> {
  static constexpr const char* name = "tan";
  static Tensor gradient(const Tensor& y, const Tensor& dy) { return dy * (square(y) + 1); }
};
struct Asin : UnaryOp<Asin, Unary::asin, Keeps::input> {
  static constexpr const char* name = "asin";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * rsqrt((1 - x) * (x + 1)); }
};
struct Acos : UnaryOp<Acos, Unary::acos, Keeps::input> {
  static constexpr const char* name = "acos";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return neg(dy * rsqrt((1 - x) * (x + 1))); }
};
struct Atan : UnaryOp<Atan, Unary::atan, Keeps::input> {
  static constexpr const char* name = "atan";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / (square(x) + 1); }
};
struct Sinh : UnaryOp<Sinh, Unary::sinh, Keeps::input> {
  static constexpr const char* name = "sinh";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * cosh(x); }
};
struct Cosh : UnaryOp<Cosh, Unary::cosh, Keeps::input> {
  static constexpr const char* name = "cosh";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * sinh(x); }
};
struct Tanh : UnaryOp<Tanh, Unary::tanh, Keeps::output> {
  static constexpr const char* name = "tanh";
  static Tensor gradient(const Tensor& y, const Tensor& dy) {
    return fused(Binary::tanh_grad, y, dy, [&] { return dy * (1 - square(y)); });
  }
};
struct Asinh : UnaryOp<Asinh, Unary::asinh, Keeps::input> {
  static constexpr const char* name = "asinh";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * rsqrt(square(x) + 1); }
};
struct Acosh : UnaryOp<Acosh, Unary::acosh, Keeps::input> {
  static constexpr const char* name = "acosh";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * rsqrt(x - 1) * rsqrt(x + 1); }
};
struct Atanh : UnaryOp<Atanh, Unary::atanh, Keeps::input> {
  static constexpr const char* name = "atanh";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy / ((1 - x) * (x + 1)); }
};
struct Erf : UnaryOp<Erf, Unary::erf, Keeps::input> {
  static constexpr const char* name = "erf";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * exp(neg(square(x))) * two_over_sqrt_pi; }
};
struct Erfc : UnaryOp<Erfc, Unary::erfc, Keeps::input> {
  static constexpr const char* name = "erfc";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * exp(neg(square(x))) * -two_over_sqrt_pi; }
};
// The chain lgamma -> digamma -> trigamma -> tetragamma ends there: digamma has a second derivative.
struct Tetragamma : UnaryOp<Tetragamma, Unary::tetragamma, Keeps::nothing> {
  static constexpr const char* name = "tetragamma";
  static Tensor gradient(const Tensor&, const Tensor&) {
    fail(name, "has no derivative: lgamma is three times differentiable, digamma twice");
  }
};
struct Trigamma : UnaryOp<Trigamma, Unary::trigamma, Keeps::input> {
  static constexpr const char* name = "trigamma";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * Tetragamma::apply(x); }
};
struct Digamma : UnaryOp<Digamma, Unary::digamma, Keeps::input> {
  static constexpr const char* name = "digamma";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * Trigamma::apply(x); }
};
struct Lgamma : UnaryOp<Lgamma, Unary::lgamma, Keeps::input> {
  static constexpr const char* name = "lgamma";
  static Tensor gradient(const Tensor& x, const Tensor& dy) { return dy * digamma(x); }
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
struct Cast : Function<Cast> {
  static constexpr const char* name = "cast";
  DType from = f32;
  Tensor forward(Context&, const Tensor& x, DType dtype) {
    from = x.dtype();
    return x.copy(dtype);
  }
  Gradients backward(Context&, const Tensor& dy) const { return {cast(dy, from)}; }
};

}  // namespace

Tensor neg(const Tensor& x, Where site) { return of_numbers<Neg>(x, site); }
Tensor abs(const Tensor& x, Where site) { return of_numbers<Abs>(x, site); }
Tensor square(const Tensor& x, Where site) { return of_numbers<Square>(x, site); }
Tensor sign(const Tensor& x, Where site) { return of_numbers<Sign>(x, site); }
Tensor floor(const Tensor& x, Where site) { return of_numbers<Floor>(x, site); }
Tensor ceil(const Tensor& x, Where site) { return of_numbers<Ceil>(x, site); }
Tensor round(const Tensor& x, Where site) { return of_numbers<Round>(x, site); }
Tensor trunc(const Tensor& x, Where site) { return of_numbers<Trunc>(x, site); }
Tensor frac(const Tensor& x, Where site) { return of_reals<Frac>(x, site); }
Tensor sqrt(const Tensor& x, Where site) { return of_reals<Sqrt>(x, site); }
Tensor rsqrt(const Tensor& x, Where site) { return of_reals<Rsqrt>(x, site); }
Tensor reciprocal(const Tensor& x, Where site) { return of_reals<Reciprocal>(x, site); }
Tensor exp(const Tensor& x, Where site) { return of_reals<Exp>(x, site); }
Tensor exp2(const Tensor& x, Where site) { return of_reals<Exp2>(x, site); }
Tensor expm1(const Tensor& x, Where site) { return of_reals<Expm1>(x, site); }
Tensor log(const Tensor& x, Where site) { return of_reals<Log>(x, site); }
Tensor log2(const Tensor& x, Where site) { return of_reals<Log2>(x, site); }
Tensor log10(const Tensor& x, Where site) { return of_reals<Log10>(x, site); }
Tensor log1p(const Tensor& x, Where site) { return of_reals<Log1p>(x, site); }
Tensor sin(const Tensor& x, Where site) { return of_reals<Sin>(x, site); }
Tensor cos(const Tensor& x, Where site) { return of_reals<Cos>(x, site); }
Tensor tan(const Tensor& x, Where site) { return of_reals<Tan>(x, site); }
Tensor asin(const Tensor& x, Where site) { return of_reals<Asin>(x, site); }
Tensor acos(const Tensor& x, Where site) { return of_reals<Acos>(x, site); }
Tensor atan(const Tensor& x, Where site) { return of_reals<Atan>(x, site); }
Tensor sinh(const Tensor& x, Where site) { return of_reals<Sinh>(x, site); }
Tensor cosh(const Tensor& x, Where site) { return of_reals<Cosh>(x, site); }
Tensor tanh(const Tensor& x, Where site) { return of_reals<Tanh>(x, site); }
Tensor asinh(const Tensor& x, Where site) { return of_reals<Asinh>(x, site); }
Tensor acosh(const Tensor& x, Where site) { return of_reals<Acosh>(x, site); }
Tensor atanh(const Tensor& x, Where site) { return of_reals<Atanh>(x, site); }
Tensor erf(const Tensor& x, Where site) { return of_reals<Erf>(x, site); }
Tensor erfc(const Tensor& x, Where site) { return of_reals<Erfc>(x, site); }
Tensor lgamma(const Tensor& x, Where site) { return of_reals<Lgamma>(x, site); }
Tensor digamma(const Tensor& x, Where site) { return of_reals<Digamma>(x, site); }
Tensor sinc(const Tensor& x, Where site) { return of_reals<Sinc>(x, site); }
Tensor log_sinc(const Tensor& x, Where site) { return of_reals<LogSinc>(x, site); }
Tensor bitwise_not(const Tensor& x, Where site) {
  const CallSite here(site);
  check(!is_floating(x.dtype()), "bitwise_not", "integers or booleans are needed, the dtype is {}", name(x.dtype()));
  return kernels::unary(x.dtype() == boolean ? Unary::logical_not : Unary::bitwise_not, x);
}
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
  auto inverting = [](Sampler& s) {
    return std::vector<OpSample>{{"integers", {s.uniform({2, 3}, -9, 9)}, [](const std::vector<Tensor>& in) {
                                    return bitwise_not(cast(in[0], i32));
                                  }}};
  };
  return {record("neg", neg, -2, 2),
          kinked("abs", abs),
          record("square", square, -2, 2),
          kinked("sign", sign, false),
          kinked("floor", floor, false),
          kinked("ceil", ceil, false),
          kinked("round", round, false),
          kinked("trunc", trunc, false),
          record("frac", frac, 2.1, 2.9),
          record("sqrt", sqrt, 0.5, 3),
          record("rsqrt", rsqrt, 0.5, 3),
          record("reciprocal", reciprocal, 0.5, 3),
          record("exp", exp, -2, 2),
          record("exp2", exp2, -3, 3),
          record("expm1", expm1, -2, 2),
          record("log", log, 0.3, 4),
          record("log2", log2, 0.3, 4),
          record("log10", log10, 0.3, 4),
          record("log1p", log1p, -0.5, 3),
          record("sin", sin, -5, 5),
          record("cos", cos, -5, 5),
          record("tan", tan, -1.2, 1.2),
          record("asin", asin, -0.8, 0.8),
          record("acos", acos, -0.8, 0.8),
          record("atan", atan, -3, 3),
          record("sinh", sinh, -2, 2),
          record("cosh", cosh, -2, 2),
          record("tanh", tanh, -2, 2),
          record("asinh", asinh, -3, 3),
          record("acosh", acosh, 1.3, 4),
          record("atanh", atanh, -0.8, 0.8),
          record("erf", erf, -2, 2),
          record("erfc", erfc, -2, 2),
          record("lgamma", lgamma, 0.4, 5),
          record("digamma", digamma, 0.5, 4),
          record("sinc", sinc, -3, 3),
          record("log_sinc", log_sinc, -2.5, 2.5),
          {"bitwise_not", false, inverting},
          {"cast", true, casting}};
}

}  // namespace ff
