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

// x (R, n), residual of that shape or undefined, weight and bias (n) or undefined. The norm; with a residual, the sum
// that is normalised after it.
struct LayerNorm : Function<LayerNorm> {
  static constexpr const char* name = "layer_norm";
  double epsilon = 0;
  std::vector<Tensor> forward(Context& ctx, const Tensor& x, const Tensor& residual, const Tensor& weight,
                              const Tensor& bias, double eps) {
    epsilon = eps;
    auto dense = [](const Tensor& t) { return t.defined() ? t.dense() : Tensor(); };
    const Tensor from = x.dense(), onto = dense(residual), scale = dense(weight), shift = dense(bias);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    Tensor added = residual.defined() ? Tensor::empty(x.shape(), x.dtype()) : Tensor();
    Tensor centre = Tensor::empty({x.size(0)}, x.dtype()), rstd = Tensor::empty({x.size(0)}, x.dtype());
    cpu::layer_norm(x.dtype(), x.size(0), x.size(1), eps, from.raw(), raw(scale), raw(shift), y.raw(), centre.raw(),
                    rstd.raw(), raw(onto), raw(added));
    ctx.save({added.defined() ? added : x, weight, bias, centre, rstd});
    if (added.defined()) return {y, added};
    return {y};
  }

  Gradients backward(Context& ctx, const Gradients& dys) const {
    const Tensor dy = dys[0], dsum = dys.size() > 1 ? dys[1] : Tensor();
    if (!dy.defined()) return {dsum, dsum, Tensor(), Tensor()};
    const Tensor x = ctx.saved(0), weight = ctx.saved(1), bias = ctx.saved(2);
    Tensor dx, dweight, dbias;
    if (grad_enabled()) {
      const Gradients found = kernels::backward_of_composition(
          [eps = epsilon](const auto& in) { return composed(in, eps); }, {x, weight, bias}, dy);
      dx = dsum.defined() && found[0].defined() ? found[0] + dsum : found[0];
      dweight = found[1], dbias = found[2];
    } else {
      // Undefined arguments count as arguments.
      if (ctx.needs_grad(0) || ctx.needs_grad(1)) dx = Tensor::empty(x.shape(), x.dtype());
      if (ctx.needs_grad(2)) dweight = Tensor::empty({x.size(1)}, x.dtype());
      if (ctx.needs_grad(3)) dbias = Tensor::empty({x.size(1)}, x.dtype());
      const Tensor scale = weight.defined() ? weight.dense() : Tensor();
      const Tensor more = dsum.defined() ? dsum.dense() : Tensor();
      cpu::layer_norm_backward(x.dtype(), x.size(0), x.size(1), x.dense().raw(), raw(scale), ctx.saved(3).raw(),
                               ctx.saved(4).raw(), dy.dense().raw(), raw(dx), raw(dweight), raw(dbias), raw(more));
    }
    return {ctx.needs_grad(0) ? dx : Tensor(), ctx.needs_grad(1) ? dx : Tensor(), dweight, dbias};
  }

 private:
  static void* raw(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }
};

// LayerNorm of x, and its residual if there is one, over the dimensions `shape`.
std::vector<Tensor> over_last(const char* op, const Tensor& x, const Tensor& residual, const Shape& shape,
                              const Tensor& weight, const Tensor& bias, double eps) {
  kernels::check_floating(op, x);
  bool ends_so = x.rank() >= shape.rank() && shape.numel() > 0;
  for (int i = 1; ends_so && i <= shape.rank(); ++i) ends_so = x.size(-i) == shape[shape.rank() - i];
  check(ends_so, op, "a tensor of shape {} does not end in {}", x.shape().str(), shape.str());
  for (const Tensor& parameter : {weight, bias})
    check(!parameter.defined() || (parameter.shape() == shape && parameter.dtype() == x.dtype()), op,
          "weight and bias must have shape {} and dtype {}", shape.str(), name(x.dtype()));
  const std::int64_t n = shape.numel();
  auto flat = [n](const Tensor& t) { return t.defined() ? reshape(t, {n}) : t; };
  auto rows = [n](const Tensor& t) { return t.defined() ? reshape(t, {t.numel() / n, n}) : t; };
  std::vector<Tensor> results = LayerNorm::apply(rows(x), rows(residual), flat(weight), flat(bias), eps);
  for (Tensor& result : results) result = reshape(result, x.shape());
  return results;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, double eps,
                  Where site) {
  const CallSite here(site);
  return over_last("layer_norm", x, {}, shape, weight, bias, eps)[0];
}

SumAndNorm add_layer_norm(const Tensor& x, const Tensor& residual, const Shape& shape, const Tensor& weight,
                          const Tensor& bias, double eps, Where site) {
  const CallSite here(site);
  const char* op = "add_layer_norm";
  check(residual.shape() == x.shape() && residual.dtype() == x.dtype(), op,
        "x of shape {} and dtype {} does not go with a residual of shape {} and dtype {}", x.shape().str(),
        name(x.dtype()), residual.shape().str(), name(residual.dtype()));
  const std::vector<Tensor> results = over_last(op, x, residual, shape, weight, bias, eps);
  return {results[1], results[0]};
}

std::vector<OpRecord> layer_norm_ops() {
  using Inputs = std::vector<Tensor>;
  return {{"layer_norm", true,
           [](Sampler& s) {
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
           }},
          {"add_layer_norm", true, [](Sampler& s) {
             auto both = [](const Inputs& in) {
               const SumAndNorm y = add_layer_norm(in[0], in[1], {5}, in[2], in[3]);
               return y.sum * 0.5 + y.norm;
             };
             return std::vector<OpSample>{
                 {"both", {s.normal({3, 5}), s.normal({3, 5}), s.normal({5}), s.normal({5})}, both},
                 {"norm alone",
                  {s.normal({2, 2, 5}), s.normal({2, 2, 5})},
                  [](const Inputs& in) { return add_layer_norm(in[0], in[1], {5}).norm; }},
                 {"sum alone",
                  {s.normal({2, 5}), s.normal({2, 5})},
                  [](const Inputs& in) { return add_layer_norm(in[0], in[1], {5}).sum; }},
                 {"no rows", {s.normal({0, 5}), s.normal({0, 5}), s.normal({5}), s.normal({5})}, both}};
           }}};
}

}  // namespace ff
