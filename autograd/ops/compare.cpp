// Comparisons, logic, and choices made by them.

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

using cpu::Binary;
using kernels::number;

void check_boolean(const char* op, const Tensor& x) {
  check(x.dtype() == boolean, op, "a boolean tensor is needed, the dtype is {}", name(x.dtype()));
}

Tensor logic(const char* op, Binary kernel, const Tensor& a, const Tensor& b, Where site) {
  const CallSite here(site);
  return kernels::binary(op, kernel, kernels::to(a, boolean), kernels::to(b, boolean));
}

Tensor predicate(cpu::Unary kernel, const Tensor& x, Where site) {
  const CallSite here(site);
  Tensor y = Tensor::empty(x.shape(), boolean);
  cpu::unary(kernel, x.dtype(), x.shape(), x.raw(), x.strides(), y.raw());
  return y;
}

Tensor comparison(const char* op, Binary kernel, const Operand& a, const Operand& b, Where site) {
  const CallSite here(site);
  return kernels::binary(op, kernel, a.beside(b), b.beside(a));
}

struct WhereOp : Function<WhereOp> {
  static constexpr const char* name = "where";
  static Tensor forward(Context& ctx, const Tensor& condition, const Tensor& a, const Tensor& b) {
    check_boolean(name, condition);
    ctx.save({condition});
    const DType dtype = kernels::result_dtype(a, b);
    const Tensor yes = kernels::to(a, dtype), no = kernels::to(b, dtype);
    const Shape shape = broadcast_shapes(name, condition.shape(), broadcast_shapes(name, a.shape(), b.shape()));
    Tensor y = Tensor::empty(shape, dtype);
    cpu::where(dtype, shape, static_cast<const std::uint8_t*>(condition.raw()),
               broadcast_strides(condition.shape(), condition.strides(), shape), yes.raw(),
               broadcast_strides(yes.shape(), yes.strides(), shape), no.raw(),
               broadcast_strides(no.shape(), no.strides(), shape), y.raw());
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor condition = ctx.saved(0), zero = number(0, dy);
    return {Tensor(), ctx.needs_grad(1) ? where(condition, dy, zero) : Tensor(),
            ctx.needs_grad(2) ? where(condition, zero, dy) : Tensor()};
  }
};

}  // namespace

Tensor eq(const Operand& a, const Operand& b, Where site) { return comparison("eq", Binary::eq, a, b, site); }
Tensor ne(const Operand& a, const Operand& b, Where site) { return comparison("ne", Binary::ne, a, b, site); }
Tensor lt(const Operand& a, const Operand& b, Where site) { return comparison("lt", Binary::lt, a, b, site); }
Tensor le(const Operand& a, const Operand& b, Where site) { return comparison("le", Binary::le, a, b, site); }
Tensor gt(const Operand& a, const Operand& b, Where site) { return comparison("gt", Binary::gt, a, b, site); }
Tensor ge(const Operand& a, const Operand& b, Where site) { return comparison("ge", Binary::ge, a, b, site); }
Tensor logical_and(const Tensor& a, const Tensor& b, Where site) {
  return logic("logical_and", Binary::logical_and, a, b, site);
}
Tensor logical_or(const Tensor& a, const Tensor& b, Where site) {
  return logic("logical_or", Binary::logical_or, a, b, site);
}
Tensor logical_xor(const Tensor& a, const Tensor& b, Where site) {
  return logic("logical_xor", Binary::logical_xor, a, b, site);
}
Tensor logical_not(const Tensor& x, Where site) {
  const CallSite here(site);
  return kernels::unary(cpu::Unary::logical_not, kernels::to(x, boolean));
}
Tensor isnan(const Tensor& x, Where site) { return predicate(cpu::Unary::isnan, x, site); }
Tensor isinf(const Tensor& x, Where site) { return predicate(cpu::Unary::isinf, x, site); }
Tensor isfinite(const Tensor& x, Where site) { return predicate(cpu::Unary::isfinite, x, site); }
Tensor where(const Tensor& condition, const Operand& a, const Operand& b, Where site) {
  return WhereOp::apply(site, condition, a.beside(b), b.beside(a));
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value, Where site) {
  const CallSite here(site);
  check(broadcast_shapes("masked_fill", x.shape(), mask.shape()) == x.shape(), "masked_fill",
        "a mask of shape {} does not broadcast to {}", mask.shape().str(), x.shape().str());
  return where(mask, Tensor::scalar(value, x.dtype()), x);
}

std::vector<OpRecord> compare_ops() {
  using Inputs = std::vector<Tensor>;
  auto compared = [](std::string_view name, Tensor (*op)(const Operand&, const Operand&, Where)) {
    return OpRecord{name, false, [op](Sampler& s) {
                      return std::vector<OpSample>{{"row", {s.normal({2, 3}), s.normal({3})}, [op](const Inputs& in) {
                                                      return op(in[0], in[1], {});
                                                    }}};
                    }};
  };
  auto logical = [](std::string_view name, Tensor (*op)(const Tensor&, const Tensor&, Where)) {
    return OpRecord{name, false, [op](Sampler& s) {
                      return std::vector<OpSample>{
                          {"row",
                           {s.normal({2, 3}), s.normal({3})},
                           [op](const Inputs& in) { return op(gt(in[0], 0), gt(in[1], 0), {}); }},
                          {"integers", {s.uniform({2, 3}, 0, 2), s.uniform({3}, 0, 2)}, [op](const Inputs& in) {
                             return op(cast(in[0], i32), cast(in[1], u8), {});
                           }}};
                    }};
  };
  // Of quotients by 0 and 1: numbers, infinities, and of 0 by 0 NaN.
  auto predicates = [](std::string_view name, Tensor (*op)(const Tensor&, Where)) {
    return OpRecord{name, false, [op](Sampler& s) {
                      return std::vector<OpSample>{
                          {"specials", {s.uniform({4, 5}, -1.5, 1.5), s.uniform({5}, 0, 2)}, [op](const Inputs& in) {
                             return op(cast(cast(in[0], i32), in[0].dtype()) / cast(in[1], i32), {});
                           }}};
                    }};
  };
  return {compared("eq", eq),
          compared("ne", ne),
          compared("lt", lt),
          compared("le", le),
          compared("gt", gt),
          compared("ge", ge),
          logical("logical_and", logical_and),
          logical("logical_or", logical_or),
          logical("logical_xor", logical_xor),
          {"logical_not", false,
           [](Sampler& s) {
             return std::vector<OpSample>{
                 {"matrix", {s.normal({2, 3})}, [](const Inputs& in) { return logical_not(gt(in[0], 0)); }}};
           }},
          predicates("isnan", isnan),
          predicates("isinf", isinf),
          predicates("isfinite", isfinite),
          {"where", true,
           [](Sampler& s) {
             auto call = [](const Inputs& in) { return where(in[0], in[1], in[2]); };
             auto condition = [&](const Shape& shape) { return gt(s.normal(shape), 0); };
             return std::vector<OpSample>{{"same shape", {condition({3, 4}), s.normal({3, 4}), s.normal({3, 4})}, call},
                                          {"broadcast", {condition({3, 1}), s.normal({4}), s.normal({})}, call},
                                          {"empty", {condition({0, 2}), s.normal({2}), s.normal({0, 2})}, call}};
           }},
          {"masked_fill", true, [](Sampler& s) {
             auto call = [](const Inputs& in) { return masked_fill(in[0], in[1], -3); };
             return std::vector<OpSample>{{"row mask", {s.normal({3, 4}), gt(s.normal({4}), 0)}, call}};
           }}};
}

}  // namespace ff
