// Root mean square normalisation (Zhang, Sennrich 2019).

#include "ff/core/cpu/rms_norm.h"

#include <limits>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// The same of plain ops, over the last dimension of x (R, n).
Tensor composed(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor y = x * rsqrt(mean(square(x), {-1}, true) + eps);
  return weight.defined() ? y * weight : y;
}

// x (R, n), weight (n) or undefined.
struct RmsNorm : Function<RmsNorm> {
  static constexpr const char* name = "rms_norm";
  double epsilon = 0;
  Tensor forward(Context& ctx, const Tensor& x, const Tensor& weight, double eps) {
    epsilon = eps;
    const Tensor dense = x.dense(), scale = weight.defined() ? weight.dense() : Tensor();
    Tensor y = Tensor::empty(x.shape(), x.dtype()), rrms = Tensor::empty({x.size(0)}, x.dtype());
    cpu::rms_norm(x.dtype(), x.size(0), x.size(1), eps, dense.raw(), scale.defined() ? scale.raw() : nullptr, y.raw(),
                  rrms.raw());
    ctx.save({x, weight, rrms});
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0), weight = ctx.saved(1);
    if (grad_enabled())
      return kernels::backward_of_composition([eps = epsilon](const auto& in) { return composed(in[0], in[1], eps); },
                                              {x, weight}, dy);
    const Tensor dx = ctx.needs_grad(0) ? Tensor::empty(x.shape(), x.dtype()) : Tensor(),
                 dweight = ctx.needs_grad(1) ? Tensor::empty({x.size(1)}, x.dtype()) : Tensor();
    const Tensor scale = weight.defined() ? weight.dense() : Tensor(), dense = x.dense(), dense_dy = dy.dense();
    auto raw = [](const Tensor& t) { return t.defined() ? t.raw() : nullptr; };
    cpu::rms_norm_backward(x.dtype(), x.size(0), x.size(1), dense.raw(), raw(scale), ctx.saved(2).raw(), dense_dy.raw(),
                           raw(dx), raw(dweight));
    return {dx, dweight};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Shape& shape, const Tensor& weight, std::optional<double> eps, Where site) {
  const CallSite here(site);
  const char* op = RmsNorm::name;
  kernels::check_floating(op, x);
  bool ends_so = x.rank() >= shape.rank() && shape.numel() > 0;
  for (int i = 1; ends_so && i <= shape.rank(); ++i) ends_so = x.size(-i) == shape[shape.rank() - i];
  check(ends_so, op, "a tensor of shape {} does not end in {}", x.shape().str(), shape.str());
  check(!weight.defined() || (weight.shape() == shape && weight.dtype() == x.dtype()), op,
        "weight must have shape {} and dtype {}: {} {}", shape.str(), name(x.dtype()),
        weight.defined() ? weight.shape().str() : "", weight.defined() ? name(weight.dtype()) : "");
  const double machine = x.dtype() == f64 ? std::numeric_limits<double>::epsilon()
                                          : static_cast<double>(std::numeric_limits<float>::epsilon());
  const std::int64_t n = shape.numel();
  return reshape(RmsNorm::apply(reshape(x, {x.numel() / n, n}), weight.defined() ? reshape(weight, {n}) : weight,
                                eps.value_or(machine)),
                 x.shape());
}

std::vector<OpRecord> rms_norm_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"rms_norm", true, [](Sampler& s) {
             return std::vector<OpSample>{
                 {"weighted",
                  {s.normal({3, 5}), s.normal({5})},
                  [](const Inputs& in) { return rms_norm(in[0], {5}, in[1], 1e-5); }},
                 {"plain", {s.normal({2, 2, 4})}, [](const Inputs& in) { return rms_norm(in[0], {4}, {}, 0.1); }},
                 {"two dimensions",
                  {s.normal({2, 2, 3}), s.normal({2, 3})},
                  [](const Inputs& in) {
                    return rms_norm(in[0], {2, 3}, in[1]);
                  }},
                 {"one entry", {s.normal({3, 1})}, [](const Inputs& in) { return rms_norm(in[0], {1}, {}, 0.5); }},
                 {"no rows", {s.normal({0, 4}), s.normal({4})}, [](const Inputs& in) {
                    return rms_norm(in[0], {4}, in[1]);
                  }}};
           }}};
}

}  // namespace ff
