// Functions of two tensors, element by element. The gradient of a broadcast or converted argument is summed and
// converted by the engine.

#include <limits>

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

constexpr double infinity = std::numeric_limits<double>::infinity();

// binary(), with what the sum and so on of two booleans are.
Tensor arithmetic(const char* op, Binary kernel, const Tensor& a, const Tensor& b) {
  if (a.dtype() != boolean || b.dtype() != boolean) return binary(op, kernel, a, b);
  if (kernel == Binary::add || kernel == Binary::maximum) return binary(op, Binary::logical_or, a, b);
  if (kernel == Binary::mul || kernel == Binary::minimum) return binary(op, Binary::logical_and, a, b);
  fail(op, "booleans have no such arithmetic: cast them first");
}

// arithmetic() in floating dtypes: integers are converted to f32.
Tensor floating_binary(const char* op, Binary kernel, const Tensor& a, const Tensor& b) {
  return binary(op, kernel, is_floating(b.dtype()) ? a : kernels::floating(a), b);
}

// Throws if the op is one of integers and an element of b is not accepted.
template <class Accepts>
void check_integers(const char* op, const Tensor& a, const Tensor& b, Accepts accepts, const char* what) {
  if (is_floating(a.dtype()) || is_floating(b.dtype())) return;
  for (std::int64_t v : b.to_vector<std::int64_t>()) check(accepts(v), op, "{}: {}", what, v);
}

// A quotient of integers, or its remainder.
Tensor division(const char* op, Binary kernel, const Tensor& a, const Tensor& b) {
  check_integers(
      op, a, b, [](std::int64_t v) { return v != 0; }, "division of integers by zero");
  return arithmetic(op, kernel, a, b);
}

struct Add : Function<Add> {
  static constexpr const char* name = "add";
  static Tensor forward(Context&, const Tensor& a, const Tensor& b) { return arithmetic(name, Binary::add, a, b); }
  static Gradients backward(Context&, const Tensor& dy) { return {dy, dy}; }
};

struct Sub : Function<Sub> {
  static constexpr const char* name = "sub";
  static Tensor forward(Context&, const Tensor& a, const Tensor& b) { return arithmetic(name, Binary::sub, a, b); }
  static Gradients backward(Context& ctx, const Tensor& dy) { return {dy, ctx.needs_grad(1) ? neg(dy) : Tensor()}; }
};

struct Mul : Function<Mul> {
  static constexpr const char* name = "mul";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({ctx.needs_grad(1) ? a : Tensor(), ctx.needs_grad(0) ? b : Tensor()});
    return arithmetic(name, Binary::mul, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    return {ctx.needs_grad(0) ? dy * ctx.saved(1) : Tensor(), ctx.needs_grad(1) ? dy * ctx.saved(0) : Tensor()};
  }
};

struct Div : Function<Div> {
  static constexpr const char* name = "div";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return floating_binary(name, Binary::div, a, b);
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
    check_integers(
        name, a, b, [](std::int64_t v) { return v >= 0; }, "an integer to a negative power");
    return arithmetic(name, Binary::pow, a, b);
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
    return arithmetic(name, Binary::maximum, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return choose(ctx.saved(0), ctx.saved(1), dy, gt); }
};

struct Minimum : Function<Minimum> {
  static constexpr const char* name = "minimum";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    ctx.save({a, b});
    return arithmetic(name, Binary::minimum, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) { return choose(ctx.saved(0), ctx.saved(1), dy, lt); }
};

struct Clamp : Function<Clamp> {
  static constexpr const char* name = "clamp";
  static Tensor forward(Context& ctx, const Tensor& x, const Tensor& min, const Tensor& max) {
    ctx.save({x, min, max});
    return arithmetic(name, Binary::minimum, arithmetic(name, Binary::maximum, x, min), max);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor x = ctx.saved(0), min = ctx.saved(1), max = ctx.saved(2);
    auto where_true = [&](const Tensor& condition) { return where(condition, dy, number(0, dy)); };
    Gradients result(3);
    if (ctx.needs_grad(0)) result[0] = where_true(logical_and(ge(x, min), le(x, max)));
    if (ctx.needs_grad(1)) result[1] = where_true(logical_and(lt(x, min), le(min, max)));
    if (ctx.needs_grad(2)) result[2] = where_true(logical_or(gt(x, max), gt(min, max)));
    return result;
  }
};

struct FloorDivide : Function<FloorDivide> {
  static constexpr const char* name = "floor_divide";
  static Tensor forward(Context&, const Tensor& a, const Tensor& b) {
    return division(name, Binary::floor_divide, a, b);
  }
  static Gradients backward(Context&, const Tensor&) {
    fail(name, "is not differentiable: no gradient goes through it");
  }
};

struct Remainder : Function<Remainder> {
  static constexpr const char* name = "remainder";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    if (ctx.needs_grad(1)) ctx.save({a, b});
    return division(name, Binary::remainder, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    if (!ctx.needs_grad(1)) return {dy};
    return {dy, neg(dy * binary(name, Binary::floor_divide, ctx.saved(0), ctx.saved(1)))};
  }
};

struct Fmod : Function<Fmod> {
  static constexpr const char* name = "fmod";
  static Tensor forward(Context& ctx, const Tensor& a, const Tensor& b) {
    if (ctx.needs_grad(1)) ctx.save({a, b});
    return division(name, Binary::fmod, a, b);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    if (!ctx.needs_grad(1)) return {dy};
    const Tensor a = ctx.saved(0), b = ctx.saved(1);
    // A multiple of b over b: the nearest integer is what it truly is.
    const Tensor multiple = binary(name, Binary::sub, a, binary(name, Binary::fmod, a, b));
    return {dy, neg(dy * kernels::unary(cpu::Unary::round, binary(name, Binary::div, multiple, b)))};
  }
};

struct Atan2 : Function<Atan2> {
  static constexpr const char* name = "atan2";
  static Tensor forward(Context& ctx, const Tensor& y, const Tensor& x) {
    ctx.save({y, x});
    return floating_binary(name, Binary::atan2, y, x);
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor y = ctx.saved(0), x = ctx.saved(1), scaled = dy / (square(y) + square(x));
    return {ctx.needs_grad(0) ? scaled * x : Tensor(), ctx.needs_grad(1) ? neg(scaled * y) : Tensor()};
  }
};

Tensor bits(const char* op, Binary kernel, const Operand& left, const Operand& right, Where site) {
  const CallSite here(site);
  const Tensor a = left.beside(right), b = right.beside(left);
  check(!is_floating(a.dtype()) && !is_floating(b.dtype()), op,
        "integers or booleans are needed, the dtypes are {} and {}", name(a.dtype()), name(b.dtype()));
  if (a.dtype() != boolean || b.dtype() != boolean) return binary(op, kernel, a, b);
  if (kernel == Binary::bitwise_and) return binary(op, Binary::logical_and, a, b);
  if (kernel == Binary::bitwise_or) return binary(op, Binary::logical_or, a, b);
  if (kernel == Binary::bitwise_xor) return binary(op, Binary::logical_xor, a, b);
  fail(op, "booleans cannot be shifted: cast them first");
}

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

Tensor clamp(const Tensor& x, const Operand& min, const Operand& max, Where site) {
  return Clamp::apply(site, x, min.beside(x), max.beside(x));
}
Tensor clamp_min(const Tensor& x, const Operand& min, Where site) {
  return Clamp::apply(site, x, min.beside(x), number(infinity, x));
}
Tensor clamp_max(const Tensor& x, const Operand& max, Where site) {
  return Clamp::apply(site, x, number(-infinity, x), max.beside(x));
}

Tensor floor_divide(const Operand& a, const Operand& b, Where site) {
  return FloorDivide::apply(site, a.beside(b), b.beside(a));
}
Tensor remainder(const Operand& a, const Operand& b, Where site) {
  return Remainder::apply(site, a.beside(b), b.beside(a));
}
Tensor fmod(const Operand& a, const Operand& b, Where site) { return Fmod::apply(site, a.beside(b), b.beside(a)); }
Tensor atan2(const Operand& y, const Operand& x, Where site) { return Atan2::apply(site, y.beside(x), x.beside(y)); }

Tensor bitwise_and(const Operand& a, const Operand& b, Where site) {
  return bits("bitwise_and", Binary::bitwise_and, a, b, site);
}
Tensor bitwise_or(const Operand& a, const Operand& b, Where site) {
  return bits("bitwise_or", Binary::bitwise_or, a, b, site);
}
Tensor bitwise_xor(const Operand& a, const Operand& b, Where site) {
  return bits("bitwise_xor", Binary::bitwise_xor, a, b, site);
}
Tensor bitwise_left_shift(const Operand& a, const Operand& b, Where site) {
  return bits("bitwise_left_shift", Binary::left_shift, a, b, site);
}
Tensor bitwise_right_shift(const Operand& a, const Operand& b, Where site) {
  return bits("bitwise_right_shift", Binary::right_shift, a, b, site);
}

Tensor operator+(const Operand& a, const Operand& b) { return add(a, b, a.site()); }
Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b, a.site()); }
Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b, a.site()); }
Tensor operator/(const Operand& a, const Operand& b) { return div(a, b, a.site()); }
Tensor operator-(const Operand& x) { return neg(x.beside(x), x.site()); }

namespace {

using Inputs = std::vector<Tensor>;
using Op = Tensor (*)(const Operand&, const Operand&, Where);
using Samples = std::function<std::vector<OpSample>(Sampler&)>;

// Equal shapes, each way of broadcasting, a scalar, nothing at all.
Samples pairs(Op op, double low, double high) {
  return [=](Sampler& s) {
    auto call = [op](const Inputs& in) { return op(in[0], in[1], {}); };
    auto x = [&](const Shape& shape) { return s.uniform(shape, low, high); };
    return std::vector<OpSample>{
        {"same shape", {x({2, 3}), x({2, 3})}, call}, {"row", {x({2, 3}), x({3})}, call},
        {"column", {x({2, 1}), x({2, 3})}, call},     {"both ways", {x({2, 1, 2}), x({3, 1})}, call},
        {"scalar", {x({}), x({2, 2})}, call},         {"size 1", {x({1}), x({1, 1})}, call},
        {"empty", {x({0, 3}), x({3})}, call}};
  };
}

Samples tieless(Op op) {
  return [=](Sampler& s) {
    const Tensor values = s.distinct({2, 2, 3});
    auto call = [op](const Inputs& in) { return op(in[0], in[1], {}); };
    return std::vector<OpSample>{
        {"same shape", {select(values, 0, 0).copy(), select(values, 0, 1).copy()}, call},
        {"row", {select(values, 0, 0).copy(), select(select(values, 0, 1), 0, 1).copy()}, call}};
  };
}

std::vector<OpSample> clamp_samples(Sampler& s) {
  auto bounded = [](const Inputs& in) { return clamp(in[0], in[1], in[2]); };
  const Tensor bounds = s.uniform({2, 4}, -0.1, 0.1);
  const Tensor low = select(bounds, 0, 0) - 0.5, high = select(bounds, 0, 1) + 0.5;
  return {{"numbers", {s.distinct({3, 4})}, [](const Inputs& in) { return clamp(in[0], -0.55, 0.45); }},
          {"tensors", {s.uniform({3, 4}, -0.3, 0.3), low, high}, bounded},
          {"rows below", {s.uniform({2, 4}, -2, -1), low, high}, bounded},
          {"rows above", {s.uniform({2, 4}, 1, 2), low, high}, bounded},
          {"bounds crossed", {s.uniform({2, 4}, -2, 2), high, low}, bounded},
          {"scalar", {s.uniform({}, 0, 1), s.uniform({}, -2, -1), s.uniform({}, 2, 3)}, bounded},
          {"below", {s.distinct({3, 4})}, [](const Inputs& in) { return clamp_min(in[0], 0.15); }},
          {"above", {s.distinct({3, 4})}, [](const Inputs& in) { return clamp_max(in[0], 0.15); }},
          {"empty", {s.uniform({0, 2}, -1, 1)}, [](const Inputs& in) { return clamp(in[0], 0, 1); }}};
}

// Quotients away from integers, of both signs.
Samples quotients(Op op) {
  return [=](Sampler& s) {
    auto call = [op](const Inputs& in) { return op(in[0], in[1], {}); };
    auto dividend = [&](const Shape& shape) { return s.uniform(shape, 5.2, 5.6); };  // over 0.95 .. 1.02: 5.1 .. 5.9
    auto divisor = [&](const Shape& shape) { return s.uniform(shape, 0.95, 1.02); };
    return std::vector<OpSample>{{"same shape", {dividend({2, 3}), divisor({2, 3})}, call},
                                 {"negative dividend", {neg(dividend({2, 3})), divisor({3})}, call},
                                 {"negative divisor", {dividend({3}), neg(divisor({2, 1}))}, call},
                                 {"number", {dividend({4})}, [op](const Inputs& in) { return op(in[0], 1.0, {}); }},
                                 {"scalar", {dividend({}), divisor({})}, call},
                                 {"empty", {dividend({0, 3}), divisor({3})}, call}};
  };
}

Samples integers(Op op, double high) {
  return [=](Sampler& s) {
    return std::vector<OpSample>{{"row", {s.uniform({2, 3}, 0, 100), s.uniform({3}, 0, high)}, [op](const Inputs& in) {
                                    return op(cast(in[0], i64), cast(in[1], i64), {});
                                  }}};
  };
}

std::vector<OpSample> pow_samples(Sampler& s) {
  std::vector<OpSample> samples = pairs(pow, 0.5, 2)(s);
  samples.push_back({"negative base", {s.uniform({3}, -2, -1)}, [](const Inputs& in) { return pow(in[0], 3); }});
  return samples;
}

}  // namespace

std::vector<OpRecord> arithmetic_ops() {
  return {{"add", true, pairs(add, -2, 2)},
          {"sub", true, pairs(sub, -2, 2)},
          {"mul", true, pairs(mul, -2, 2)},
          {"div", true, pairs(div, 0.5, 2)},
          {"pow", true, pow_samples},
          {"maximum", true, tieless(maximum)},
          {"minimum", true, tieless(minimum)},
          {"clamp", true, clamp_samples},
          {"floor_divide", false, quotients(floor_divide)},
          {"remainder", true, quotients(remainder)},
          {"fmod", true, quotients(fmod)},
          {"atan2", true, pairs(atan2, 0.5, 2)},
          {"bitwise_and", false, integers(bitwise_and, 100)},
          {"bitwise_or", false, integers(bitwise_or, 100)},
          {"bitwise_xor", false, integers(bitwise_xor, 100)},
          {"bitwise_left_shift", false, integers(bitwise_left_shift, 8)},
          {"bitwise_right_shift", false, integers(bitwise_right_shift, 8)}};
}

}  // namespace ff
