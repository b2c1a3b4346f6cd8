// Functions of two tensors, element by element. The gradient of a broadcast or converted argument is summed and
// converted by the engine.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Binary;
using kernels::binary;
using kernels::number;

struct Add : Function<Add> {
  static constexpr const char* name = "add";
  static Tensor forward(Context&, const Tensor& a, const Tensor& b) { return binary(name, Binary::add, a, b); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy, dy}; }
};

struct Sub : Function<Sub> {
  static constexpr const char* name = "sub";
  static Tensor forward(Context&, const Tensor& a, const Tensor& b) { return binary(name, Binary::sub, a, b); }
  static Gradients backward(Context& ctx, const Tensor& dy) { return {dy, ctx.needs_grad(1) ? neg(dy) : Tensor()}; }
};

struct Mul : Function<Mul> {
  static constexpr const char* name = "mul";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({ctx.needs_grad(1) ? a : Tensor(), ctx.needs_grad(0) ? b : Tensor()});
    return binary(name, Binary::mul, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    return {ctx.needs_grad(0) ? dy * ctx.saved(1) : Tensor(), ctx.needs_grad(1) ? dy * ctx.saved(0) : Tensor()};
  }
};

struct Div : Function<Div> {
  static constexpr const char* name = "div";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return binary(name, Binary::div, is_floating(b.dtype()) ? a : kernels::floating(a), b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor a = ctx.saved(0), b = ctx.saved(1);
    return {ctx.needs_grad(0) ? dy / b : Tensor(), ctx.needs_grad(1) ? neg(dy * a / square(b)) : Tensor()};
  }
};

// d a^b = b a^(b-1) da + a^b log(a) db, both 0 where that is their limit: b = 0, and a = 0 with b >= 0.
struct Pow : Function<Pow> {
  static constexpr const char* name = "pow";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return binary(name, Binary::pow, is_floating(b.dtype()) ? a : kernels::floating(a), b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor a = ctx.saved(0), b = ctx.saved(1);
    Tensor da, db;
    if (ctx.needs_grad(0)) {
      const Tensor slope = b * pow(a, where(eq(b, 0), kernels::number(1, b), b - 1));
      da = dy * where(eq(b, 0), kernels::number(0, slope), slope);
    }
    if (ctx.needs_grad(1)) {
      const Tensor flat = logical_and(eq(a, 0), ge(b, 0));
      db = dy * pow(a, b) * log(where(flat, kernels::number(1, a), a));
    }
    return {da, db};
  }
};

// Shared by maximum and minimum: the chosen argument gets the gradient, equal ones half each.
Gradients choose(const Tensor& a, const Tensor& b, const Tensor& dy,
                 Tensor (*wins)(const Operand&, const Operand&, Where)) {
  const Tensor tie = 0.5 * cast(eq(a, b), dy.dtype());
  return {dy * (cast(wins(a, b, {}), dy.dtype()) + tie), dy * (cast(wins(b, a, {}), dy.dtype()) + tie)};
}

struct Maximum : Function<Maximum> {
  static constexpr const char* name = "maximum";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return binary(name, Binary::maximum, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return choose(ctx.saved(0), ctx.saved(1), dy, gt); }
};

struct Minimum : Function<Minimum> {
  static constexpr const char* name = "minimum";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return binary(name, Binary::minimum, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return choose(ctx.saved(0), ctx.saved(1), dy, lt); }
};

}  // namespace

Tensor Operand::beside(const Operand& other) const {
  if (!is_number_) return tensor_;
  if (other.is_number_) return Tensor::scalar(number_, f32);
  return kernels::number(number_, other.tensor_);
}

Tensor add(const Operand& a, const Operand& b, Where site) { return Add::apply(site, a.beside(b), b.beside(a)); }
Tensor sub(const Operand& a, const Operand& b, Where site) { return Sub::apply(site, a.beside(b), b.beside(a)); }
Tensor mul(const Operand& a, const Operand& b, Where site) { return Mul::apply(site, a.beside(b), b.beside(a)); }
Tensor div(const Operand& a, const Operand& b, Where site) { return Div::apply(site, a.beside(b), b.beside(a)); }
Tensor pow(const Operand& a, const Operand& b, Where site) { return Pow::apply(site, a.beside(b), b.beside(a)); }
Tensor maximum(const Operand& a, const Operand& b, Where site) {
  return Maximum::apply(site, a.beside(b), b.beside(a));
}
Tensor minimum(const Operand& a, const Operand& b, Where site) {
  return Minimum::apply(site, a.beside(b), b.beside(a));
}

Tensor operator+(const Operand& a, const Operand& b) { return add(a, b, a.site()); }
Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b, a.site()); }
Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b, a.site()); }
Tensor operator/(const Operand& a, const Operand& b) { return div(a, b, a.site()); }
Tensor operator-(const Operand& x) { return neg(x.beside(x), x.site()); }

std::vector<OpRecord> arithmetic_ops() {
  using Inputs = std::vector<Tensor>;
  // Equal shapes, each way of broadcasting, a scalar, nothing at all.
  auto pairs = [](Tensor (*op)(const Operand&, const Operand&, Where), double low, double high) {
    return [=](Sampler& s) {
      auto call = [op](const Inputs& in) { return op(in[0], in[1], {}); };
      auto x = [&](const Shape& shape) { return s.uniform(shape, low, high); };
      return std::vector<OpSample>{
          {"same shape", {x({2, 3}), x({2, 3})}, call}, {"row", {x({2, 3}), x({3})}, call},
          {"column", {x({2, 1}), x({2, 3})}, call},     {"both ways", {x({2, 1, 2}), x({3, 1})}, call},
          {"scalar", {x({}), x({2, 2})}, call},         {"size 1", {x({1}), x({1, 1})}, call},
          {"empty", {x({0, 3}), x({3})}, call}};
    };
  };
  auto tieless = [](Tensor (*op)(const Operand&, const Operand&, Where)) {
    return [=](Sampler& s) {
      const Tensor values = s.distinct({2, 2, 3});
      auto call = [op](const Inputs& in) { return op(in[0], in[1], {}); };
      return std::vector<OpSample>{
          {"same shape", {select(values, 0, 0).copy(), select(values, 0, 1).copy()}, call},
          {"row", {select(values, 0, 0).copy(), select(select(values, 0, 1), 0, 1).copy()}, call}};
    };
  };
  return {{"add", true, pairs(add, -2, 2)},   {"sub", true, pairs(sub, -2, 2)},  {"mul", true, pairs(mul, -2, 2)},
          {"div", true, pairs(div, 0.5, 2)},  {"pow", true, pairs(pow, 0.5, 2)}, {"maximum", true, tieless(maximum)},
          {"minimum", true, tieless(minimum)}};
}

}  // namespace ff
