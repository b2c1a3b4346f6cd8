// Ops in place. Recorded ones are the differentiable op of what x was and a copy of its result into x: whatever that op
// saved stays as it was. Others are the kernel with x as its result.

#include "ff/autograd/ops/inplace.h"

#include <algorithm>
#include <functional>

#include "ff/autograd/anomaly.h"
#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Binary;
using cpu::Unary;
using Inputs = std::vector<Tensor>;

// source in x's shape and dtype. x is gone, but still has a gradient: zero.
struct Overwrite : Function<Overwrite> {
  static constexpr const char* name = "copy_";
  static Tensor forward(Context&, const Tensor& x, const Tensor& source) {
    const Tensor y = Tensor::empty(x.shape(), x.dtype());
    y.assign(source);
    return y;
  }
  static Gradients backward(Context&, const Tensor& dy) { return {zeros_like(dy), dy}; }
};

bool any_requires_grad(const Inputs& tensors) {
  return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& t) { return t.requires_grad(); });
}

// What is true of every x and what stands beside it.
void check_writable(const char* op, const Tensor& x, const Inputs& others) {
  for (int i = 0; i < x.rank(); ++i)
    check(x.strides()[i] != 0 || x.size(i) == 1 || x.numel() == 0, op,
          "elements of the tensor share memory: shape {}, strides {}; copy it first", x.shape().str(),
          x.strides().str());
  for (const Tensor& other : others)
    check(broadcast_shapes(op, x.shape(), other.shape()) == x.shape(), op,
          "shape {} does not broadcast to that of the tensor changed in place, {}", other.shape().str(),
          x.shape().str());
  check(!grad_enabled() || !x.requires_grad() || !x.is_leaf(), op,
        "a leaf that requires a gradient cannot be changed in place while it is recorded (shape {}); use NoGrad",
        x.shape().str());
}

// Whether a result of dtype `from` fits x: not of a higher kind.
void check_dtype(const char* op, DType from, const Tensor& x) {
  const bool fits = is_floating(x.dtype()) || (!is_floating(from) && (x.dtype() != boolean || from == boolean));
  check(fits, op, "the result is {}, which a tensor of {} cannot hold", name(from), name(x.dtype()));
}

// What x was, as a tensor of its own with x's place in the graph.
Tensor before(const Tensor& x) {
  Tensor old = x.copy();
  if (x.requires_grad()) {
    autograd::Meta& meta = autograd::meta_of(old);
    meta.requires_grad = true;
    meta.source = x.meta()->source;
    meta.hooks = x.meta()->hooks;
  }
  return old;
}

// x = compute(x, others), recorded.
void record_in_place(const char* op, const Tensor& x, const Inputs& others,
                     const std::function<Tensor(const Tensor&, const Inputs&)>& compute) {
  check(x.storage().use_count() == 1, op,
        "the tensor of shape {} shares its memory with another (a view, or what an op has saved for its backward), "
        "which would not be told of the change while gradients are recorded",
        x.shape().str());
  const Tensor old = before(x);
  Inputs rest = others;
  for (Tensor& other : rest)
    if (other.is(x)) other = old;
  const Tensor y = compute(old, rest);
  check_dtype(op, y.dtype(), x);
  x.assign(y);
  const Tensor result = cast(y, x.dtype());
  if (result.requires_grad()) autograd::rebase(x, result);
}

// x = compute(x, others); direct() writes it where no graph is recorded, or says that it cannot.
const Tensor& in_place(const char* op, const Tensor& x, const Inputs& others,
                       const std::function<Tensor(const Tensor&, const Inputs&)>& compute,
                       const std::function<bool(const Inputs&)>& direct) {
  check_writable(op, x, others);
  if (grad_enabled() && (x.requires_grad() || any_requires_grad(others))) {
    record_in_place(op, x, others, compute);
    return x;
  }
  const NoGrad no_grad;
  Inputs apart = others;  // from the memory that is written to
  for (Tensor& other : apart)
    if (other.storage() == x.storage()) other = other.copy();
  if (x.is_contiguous() && !autograd::anomaly_enabled() && direct(apart)) {
    x.bump_version();
    return x;
  }
  const Tensor y = compute(x, apart);
  check_dtype(op, y.dtype(), x);
  x.assign(y);
  return x;
}

const Tensor& unary_in_place(const char* op, Unary kernel, Tensor (*function)(const Tensor&, Where), const Tensor& x,
                             Where site) {
  const CallSite here(site);
  return in_place(
      op, x, {}, [&](const Tensor& old, const Inputs&) { return function(old, {}); },
      [&](const Inputs&) {
        if (!is_floating(x.dtype())) return false;
        cpu::unary(kernel, x.dtype(), x.shape(), x.raw(), x.strides(), x.raw());
        return true;
      });
}

const Tensor& binary_in_place(const char* op, Binary kernel, Tensor (*function)(const Operand&, const Operand&, Where),
                              const Tensor& x, const Operand& operand, Where site) {
  const CallSite here(site);
  return in_place(
      op, x, {operand.beside(x)}, [&](const Tensor& old, const Inputs& others) { return function(old, others[0], {}); },
      [&](const Inputs& others) {
        if (!is_floating(x.dtype()) || kernels::result_dtype(x, others[0]) != x.dtype()) return false;
        const Tensor other = kernels::to(others[0], x.dtype());
        cpu::binary(kernel, x.dtype(), x.shape(), x.raw(), x.strides(), other.raw(),
                    broadcast_strides(other.shape(), other.strides(), x.shape()), x.raw());
        return true;
      });
}

const Tensor& overwrite(const char* op, const Tensor& x, const Tensor& source) {
  return in_place(
      op, x, {source}, [](const Tensor& old, const Inputs& others) { return Overwrite::apply(old, others[0]); },
      [&](const Inputs& others) {
        cpu::copy(others[0].dtype(), x.dtype(), x.shape(), others[0].raw(),
                  broadcast_strides(others[0].shape(), others[0].strides(), x.shape()), x.raw(), x.strides());
        return true;
      });
}

}  // namespace

const Tensor& add_(const Tensor& x, const Operand& other, Where site) {
  return binary_in_place("add_", Binary::add, add, x, other, site);
}
const Tensor& sub_(const Tensor& x, const Operand& other, Where site) {
  return binary_in_place("sub_", Binary::sub, sub, x, other, site);
}
const Tensor& mul_(const Tensor& x, const Operand& other, Where site) {
  return binary_in_place("mul_", Binary::mul, mul, x, other, site);
}
const Tensor& div_(const Tensor& x, const Operand& other, Where site) {
  return binary_in_place("div_", Binary::div, div, x, other, site);
}
const Tensor& pow_(const Tensor& x, const Operand& exponent, Where site) {
  return binary_in_place("pow_", Binary::pow, pow, x, exponent, site);
}
const Tensor& remainder_(const Tensor& x, const Operand& divisor, Where site) {
  return binary_in_place("remainder_", Binary::remainder, remainder, x, divisor, site);
}

const Tensor& clamp_(const Tensor& x, const Operand& min, const Operand& max, Where site) {
  const CallSite here(site);
  return in_place(
      "clamp_", x, {min.beside(x), max.beside(x)},
      [](const Tensor& old, const Inputs& others) { return clamp(old, others[0], others[1]); },
      [](const Inputs&) { return false; });
}

const Tensor& copy_(const Tensor& x, const Tensor& source, Where site) {
  const CallSite here(site);
  return overwrite("copy_", x, source);
}
const Tensor& fill_(const Tensor& x, double value, Where site) {
  const CallSite here(site);
  return overwrite("fill_", x, Tensor::scalar(value, x.dtype()));
}
const Tensor& zero_(const Tensor& x, Where site) {
  const CallSite here(site);
  return overwrite("zero_", x, Tensor::scalar(0, x.dtype()));
}

const Tensor& masked_fill_(const Tensor& x, const Tensor& mask, double value, Where site) {
  const CallSite here(site);
  return in_place(
      "masked_fill_", x, {mask},
      [&](const Tensor& old, const Inputs& others) { return masked_fill(old, others[0], value); },
      [](const Inputs&) { return false; });
}

const Tensor& neg_(const Tensor& x, Where site) { return unary_in_place("neg_", Unary::neg, neg, x, site); }
const Tensor& abs_(const Tensor& x, Where site) { return unary_in_place("abs_", Unary::abs, abs, x, site); }
const Tensor& square_(const Tensor& x, Where site) { return unary_in_place("square_", Unary::square, square, x, site); }
const Tensor& floor_(const Tensor& x, Where site) { return unary_in_place("floor_", Unary::floor, floor, x, site); }
const Tensor& ceil_(const Tensor& x, Where site) { return unary_in_place("ceil_", Unary::ceil, ceil, x, site); }
const Tensor& round_(const Tensor& x, Where site) { return unary_in_place("round_", Unary::round, round, x, site); }
const Tensor& trunc_(const Tensor& x, Where site) { return unary_in_place("trunc_", Unary::trunc, trunc, x, site); }
const Tensor& sqrt_(const Tensor& x, Where site) { return unary_in_place("sqrt_", Unary::sqrt, sqrt, x, site); }
const Tensor& rsqrt_(const Tensor& x, Where site) { return unary_in_place("rsqrt_", Unary::rsqrt, rsqrt, x, site); }
const Tensor& reciprocal_(const Tensor& x, Where site) {
  return unary_in_place("reciprocal_", Unary::reciprocal, reciprocal, x, site);
}
const Tensor& exp_(const Tensor& x, Where site) { return unary_in_place("exp_", Unary::exp, exp, x, site); }
const Tensor& log_(const Tensor& x, Where site) { return unary_in_place("log_", Unary::log, log, x, site); }
const Tensor& sin_(const Tensor& x, Where site) { return unary_in_place("sin_", Unary::sin, sin, x, site); }
const Tensor& cos_(const Tensor& x, Where site) { return unary_in_place("cos_", Unary::cos, cos, x, site); }
const Tensor& tanh_(const Tensor& x, Where site) { return unary_in_place("tanh_", Unary::tanh, tanh, x, site); }
const Tensor& sigmoid_(const Tensor& x, Where site) {
  return unary_in_place("sigmoid_", Unary::sigmoid, sigmoid, x, site);
}
const Tensor& relu_(const Tensor& x, Where site) { return unary_in_place("relu_", Unary::relu, relu, x, site); }

namespace {

// On a result of another op, as only such may be changed while recorded.
OpRecord of_one(std::string_view name, const Tensor& (*op)(const Tensor&, Where), double low, double high) {
  auto call = [op](const Inputs& in) {
    const Tensor x = in[0] * 1;
    return op(x, {}) + 0;
  };
  return {name, true, [=](Sampler& s) {
            return std::vector<OpSample>{{"matrix", {s.uniform({2, 3}, low, high)}, call},
                                         {"scalar", {s.uniform({}, low, high)}, call},
                                         {"empty", {s.uniform({0, 2}, low, high)}, call}};
          }};
}

OpRecord of_two(std::string_view name, const Tensor& (*op)(const Tensor&, const Operand&, Where), double low,
                double high, double other_low, double other_high) {
  auto call = [op](const Inputs& in) {
    const Tensor x = in[0] * 1;
    return op(x, in[1], {}) * x;
  };
  auto by_number = [op](const Inputs& in) {
    const Tensor x = in[0] * 1;
    return square(op(x, 1.5, {}));
  };
  return {name, true, [=](Sampler& s) {
            auto x = [&](const Shape& shape) { return s.uniform(shape, low, high); };
            auto other = [&](const Shape& shape) { return s.uniform(shape, other_low, other_high); };
            return std::vector<OpSample>{{"same shape", {x({2, 3}), other({2, 3})}, call},
                                         {"row", {x({2, 3}), other({3})}, call},
                                         {"scalar", {x({}), other({})}, call},
                                         {"number", {x({2, 2})}, by_number},
                                         {"empty", {x({0, 3}), other({3})}, call}};
          }};
}

std::vector<OpSample> clamp_samples(Sampler& s) {
  return {{"numbers", {s.distinct({3, 4})}, [](const Inputs& in) {
             const Tensor x = in[0] * 1;
             return square(clamp_(x, -0.55, 0.45));
           }}};
}

std::vector<OpSample> copy_samples(Sampler& s) {
  auto call = [](const Inputs& in) {
    const Tensor x = in[0] * 1, sum_before = sum(x);
    return square(copy_(x, in[1])) + sum_before;
  };
  return {{"row", {s.normal({2, 3}), s.normal({3})}, call}, {"scalar", {s.normal({}), s.normal({})}, call}};
}

std::vector<OpSample> fill_samples(Sampler& s) {
  return {{"one of two terms", {s.normal({2, 3})}, [](const Inputs& in) {
             const Tensor x = exp(in[0]), y = in[0] + 2;
             return x * fill_(y, 3);
           }}};
}

std::vector<OpSample> masked_fill_samples(Sampler& s) {
  return {{"row mask", {s.normal({3, 4}), gt(s.normal({4}), 0)}, [](const Inputs& in) {
             const Tensor x = in[0] * 1;
             return square(masked_fill_(x, in[1], -3));
           }}};
}

}  // namespace

std::vector<OpRecord> inplace_ops() {
  return {of_two("add_", add_, -2, 2, -2, 2),   of_two("sub_", sub_, -2, 2, -2, 2),
          of_two("mul_", mul_, -2, 2, -2, 2),   of_two("div_", div_, -2, 2, 0.5, 2),
          of_two("pow_", pow_, 0.5, 2, 0.5, 2), of_two("remainder_", remainder_, 3.6, 3.9, 0.85, 0.88),
          {"clamp_", true, clamp_samples},      {"copy_", true, copy_samples},
          {"fill_", true, fill_samples},        {"masked_fill_", true, masked_fill_samples},
          of_one("neg_", neg_, -2, 2),          of_one("abs_", abs_, 0.3, 2),
          of_one("square_", square_, -2, 2),    of_one("sqrt_", sqrt_, 0.5, 3),
          of_one("rsqrt_", rsqrt_, 0.5, 3),     of_one("reciprocal_", reciprocal_, 0.5, 3),
          of_one("exp_", exp_, -2, 2),          of_one("log_", log_, 0.5, 3),
          of_one("sin_", sin_, -3, 3),          of_one("cos_", cos_, -3, 3),
          of_one("tanh_", tanh_, -2, 2),        of_one("sigmoid_", sigmoid_, -3, 3),
          of_one("relu_", relu_, 0.2, 2)};
}

}  // namespace ff
