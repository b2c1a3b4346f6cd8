// Layer normalisation (Ba, Kiros, Hinton 2016).

#include "ff/core/cpu/layer_norm.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// The same of plain ops, over the last dimension of x (R, n).
Tensor composed(const std::vector<Tensor>& in, double eps) {
  const Tensor &x = in[0], &weight = in[1], &bias = in[2];
  const Tensor centred = x - mean(x, {-1}, true);
  Tensor y = centred * rsqrt(mean(square(centred), {-1}, true) + eps);
  if (weight.defined()) y = y * weight;
  if (bias.defined()) y = y + bias;
  return y;
}

// x (R, n), weight and bias (n) or undefined.
struct LayerNorm : Function<LayerNorm> {
  static constexpr const char* name = "layer_norm";
  double epsilon = 0;
  Tensor forward(Context& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
    epsilon = eps;
    const Tensor dense = x.dense(), scale = weight.defined() ? weight.dense() : Tensor(),
                 shift = bias.defined() ? bias.dense() : Tensor();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    Tensor centre = Tensor::empty({x.size(0)}, x.dtype()), rstd = Tensor::empty({x.size(0)}, x.dtype());
    cpu::layer_norm(x.dtype(), x.size(0), x.size(1), eps, dense.raw(), scale.defined() ? scale.raw() : nullptr,
                    shift.defined() ? shift.raw() : nullptr, y.raw(), centre.raw(), rstd.raw());
    ctx.save({x, weight, bias, centre, rstd});
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0), weight = ctx.saved(1), bias = ctx.saved(2);
    if (grad_enabled())
      return kernels::backward_of_composition([eps = epsilon](const auto& in) { return composed(in, eps); },
                                              {x, weight, bias}, dy);
    auto result = [&](std::size_t i, const Shape& shape) {
      return ctx.needs_grad(i) ? Tensor::empty(shape, x.dtype()) : Tensor();
    };
    auto raw = [](const Tensor& t) { return t.defined() ? t.raw() : nullptr; };
    const Tensor dx = result(0, x.shape()), dweight = result(1, {x.size(1)}), dbias = result(2, {x.size(1)});
    const Tensor scale = weight.defined() ? weight.dense() : Tensor();
    cpu::layer_norm_backward(x.dtype(), x.size(0), x.size(1), x.dense().raw(), raw(scale), ctx.saved(3).raw(),
                             ctx.saved(4).raw(), dy.dense().raw(), raw(dx), raw(dweight), raw(dbias));
    return {dx, dweight, dbias};
  }
};

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, double eps,
                  Where site) {
  const CallSite here(site);
  const char* op = LayerNorm::name;
  kernels::check_floating(op, x);
  bool ends_so = x.rank() >= shape.rank() && shape.numel() > 0;
  for (int i = 1; ends_so && i <= shape.rank(); ++i) ends_so = x.size(-i) == shape[shape.rank() - i];
  check(ends_so, op, "a tensor of shape {} does not end in {}", x.shape().str(), shape.str());
  for (const Tensor& parameter : {weight, bias})
    check(!parameter.defined() || (parameter.shape() == shape && parameter.dtype() == x.dtype()), op,
          "weight and bias must have shape {} and dtype {}", shape.str(), name(x.dtype()));
  const std::int64_t n = shape.numel();
  auto flat = [n](const Tensor& t) { return t.defined() ? reshape(t, {n}) : t; };
  return reshape(LayerNorm::apply(reshape(x, {x.numel() / n, n}), flat(weight), flat(bias), eps), x.shape());
}

std::vector<OpRecord> layer_norm_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"layer_norm", true, [](Sampler& s) {
             return std::vector<OpSample>{
                 {"affine",
                  {s.normal({3, 5}), s.normal({5}), s.normal({5})},
                  [](const Inputs& in) { return layer_norm(in[0], {5}, in[1], in[2]); }},
                 {"plain", {s.normal({2, 2, 4})}, [](const Inputs& in) { return layer_norm(in[0], {4}); }},
                 {"two dimensions, no bias",
                  {s.normal({2, 2, 3}), s.normal({2, 3})},
                  [](const Inputs& in) {
                    return layer_norm(in[0], {2, 3}, in[1]);
                  }},
                 {"no rows", {s.normal({0, 4}), s.normal({4}), s.normal({4})}, [](const Inputs& in) {
                    return layer_norm(in[0], {4}, in[1], in[2]);
                  }}};
           }}};
}

}  // namespace ff
