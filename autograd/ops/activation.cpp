// Activations. Those that models use most are kernels of their own, forward and backward; the others are made of
// differentiable ops, in such a way that the branch not taken is finite too.

#include "ff/autograd/ops/activation.h"

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
using kernels::of_reals;
using kernels::UnaryOp;

struct Sigmoid : UnaryOp<Sigmoid, Unary::sigmoid, Keeps::output> {
  static constexpr const char* name = "sigmoid";
  static Tensor gradient(const Tensor& y, const Tensor& dy) {
    return fused(Binary::sigmoid_grad, y, dy, [&] { return dy * y * (1 - y); });
  }
};

struct Softplus : UnaryOp<Softplus, Unary::softplus, Keeps::input> {
  static constexpr const char* name = "softplus";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::softplus_grad, x, dy, [&] { return dy * sigmoid(x); });
  }
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

// x s with s = sigmoid(2 u), u the argument of the tanh.
struct GeluTanh : UnaryOp<GeluTanh, Unary::gelu_tanh, Keeps::input> {
  static constexpr const char* name = "gelu";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::gelu_tanh_grad, x, dy, [&] {
      constexpr double scale = 1.5957691216057308, cubic = 0.044715;
      const Tensor c = clamp(x, -40, 40);  // beyond, the slope is constant; the cube of x might overflow
      const Tensor c2 = square(c), s = sigmoid(scale * c * (1 + cubic * c2));
      return dy * (s + c * s * (1 - s) * (scale + 3 * scale * cubic * c2));
    });
  }
};

struct Silu : UnaryOp<Silu, Unary::silu, Keeps::input> {
  static constexpr const char* name = "silu";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::silu_grad, x, dy, [&] {
      const Tensor s = sigmoid(x);
      return dy * (s + x * s * (1 - s));
    });
  }
};

struct Mish : UnaryOp<Mish, Unary::mish, Keeps::input> {
  static constexpr const char* name = "mish";
  static Tensor gradient(const Tensor& x, const Tensor& dy) {
    return fused(Binary::mish_grad, x, dy, [&] {
      const Tensor c = clamp(x, -750, 750), t = tanh(softplus(c));  // as for gelu above
      return dy * (t + c * (1 - square(t)) * sigmoid(c));
    });
  }
};

struct Hardtanh : Function<Hardtanh> {
  static constexpr const char* name = "hardtanh";
  double low = 0, high = 0;
  Tensor forward(Context& ctx, const Tensor& x, double low_, double high_) {
    low = low_;
    high = high_;
    ctx.save({x});
    return clamp(x, low, high);
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    const Tensor x = ctx.saved(0);
    return {where(logical_and(gt(x, low), lt(x, high)), dy, kernels::number(0, dy))};
  }
};

// exp(x) - 1 where that is negative, 0 elsewhere.
Tensor negative_expm1(const Tensor& x) { return expm1(clamp_max(x, 0)); }

}  // namespace

Tensor sigmoid(const Tensor& x, Where site) { return of_reals<Sigmoid>(x, site); }

Tensor logsigmoid(const Tensor& x, Where site) {
  const CallSite here(site);
  return neg(Softplus::apply(neg(kernels::floating(x))));
}

Tensor softplus(const Tensor& x, double beta, double threshold, Where site) {
  const CallSite here(site);
  check(beta > 0, "softplus", "beta must be positive: {}", beta);
  const Tensor v = kernels::floating(x);
  if (beta != 1) {
    const Tensor scaled = v * beta;
    return where(gt(scaled, threshold), v, Softplus::apply(scaled) / beta);
  }
  // From here on log(1 + exp(x)) is x to the last bit, and the threshold makes no difference.
  const double linear = v.dtype() == f64 ? 37 : 17;
  const Tensor y = Softplus::apply(v);
  return threshold >= linear ? y : where(gt(v, threshold), v, y);
}

Tensor softsign(const Tensor& x, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  return v / (1 + abs(v));
}

Tensor relu(const Tensor& x, Where site) { return kernels::of_numbers<Relu>(x, site); }

Tensor leaky_relu(const Tensor& x, double negative_slope, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  return where(gt(v, 0), v, v * negative_slope);
}

Tensor prelu(const Tensor& x, const Tensor& weight, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  const std::int64_t channels = x.rank() < 2 ? 1 : x.size(1);
  check(weight.rank() <= 1 && (weight.numel() == 1 || weight.numel() == channels), "prelu",
        "a weight of one element or of one for each of {} channels is needed, the shape is {} for x of {}", channels,
        weight.shape().str(), x.shape().str());
  Shape along = Shape::filled(x.rank(), 1);
  if (weight.numel() != 1) along[1] = channels;
  return where(gt(v, 0), v, reshape(weight, along) * v);
}

Tensor elu(const Tensor& x, double alpha, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  return where(gt(v, 0), v, alpha * negative_expm1(v));
}

Tensor selu(const Tensor& x, Where site) {
  const CallSite here(site);
  return 1.0507009873554805 * elu(x, 1.6732632423543772);
}

Tensor celu(const Tensor& x, double alpha, Where site) {
  const CallSite here(site);
  check(alpha > 0, "celu", "alpha must be positive: {}", alpha);
  const Tensor v = kernels::floating(x);
  return where(gt(v, 0), v, alpha * negative_expm1(v / alpha));
}

Tensor gelu(const Tensor& x, Where site) { return of_reals<Gelu>(x, site); }
Tensor gelu(const Tensor& x, GeluForm form, Where site) {
  return form == GeluForm::exact ? of_reals<Gelu>(x, site) : of_reals<GeluTanh>(x, site);
}
Tensor silu(const Tensor& x, Where site) { return of_reals<Silu>(x, site); }
Tensor mish(const Tensor& x, Where site) { return of_reals<Mish>(x, site); }

Tensor hardtanh(const Tensor& x, double low, double high, Where site) {
  const CallSite here(site);
  check(low < high, "hardtanh", "the lower limit {} is not below the upper one {}", low, high);
  return Hardtanh::apply(kernels::floating(x), low, high);
}

Tensor relu6(const Tensor& x, Where site) {
  const CallSite here(site);
  return hardtanh(x, 0, 6);
}

Tensor hardsigmoid(const Tensor& x, Where site) {
  const CallSite here(site);
  return relu6(x + 3) / 6;
}

Tensor hardswish(const Tensor& x, Where site) {
  const CallSite here(site);
  return x * hardsigmoid(x);
}

Tensor hardshrink(const Tensor& x, double lambd, Where site) {
  const CallSite here(site);
  check(lambd >= 0, "hardshrink", "lambd must not be negative: {}", lambd);
  const Tensor v = kernels::floating(x);
  return where(le(abs(v), lambd), 0, v);
}

Tensor softshrink(const Tensor& x, double lambd, Where site) {
  const CallSite here(site);
  check(lambd >= 0, "softshrink", "lambd must not be negative: {}", lambd);
  const Tensor v = kernels::floating(x);
  return v - clamp(v, -lambd, lambd);
}

Tensor tanhshrink(const Tensor& x, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  return v - tanh(v);
}

Tensor threshold(const Tensor& x, double threshold, double value, Where site) {
  const CallSite here(site);
  const Tensor v = kernels::floating(x);
  return where(gt(v, threshold), v, value);
}

namespace {

using Inputs = std::vector<Tensor>;
using Call = std::function<Tensor(const Inputs&)>;

// Values on both sides of the kinks, none of which is near a multiple of 0.15 plus 0.07 (see Sampler::distinct).
OpRecord kinked(std::string_view name, std::vector<std::pair<std::string, Call>> calls) {
  return {name, true, [=](Sampler& s) {
            std::vector<OpSample> samples;
            for (const auto& [label, call] : calls) samples.push_back({label, {s.distinct({4, 5})}, call});
            samples.push_back({"scalar", {s.distinct({})}, calls[0].second});
            samples.push_back({"empty", {s.distinct({0, 2})}, calls[0].second});
            return samples;
          }};
}

OpRecord smooth(std::string_view name, std::vector<std::pair<std::string, Call>> calls) {
  return {name, true, [=](Sampler& s) {
            std::vector<OpSample> samples;
            for (const auto& [label, call] : calls) samples.push_back({label, {s.uniform({3, 4}, -3, 3)}, call});
            samples.push_back({"scalar", {s.uniform({}, -3, 3)}, calls[0].second});
            samples.push_back({"empty", {s.uniform({2, 0}, -3, 3)}, calls[0].second});
            return samples;
          }};
}

Call of(Tensor (*op)(const Tensor&, Where)) {
  return [op](const Inputs& in) { return op(in[0], {}); };
}

std::vector<OpSample> prelu_samples(Sampler& s) {
  const Call call = [](const Inputs& in) { return prelu(in[0], in[1]); };
  return {{"one weight", {s.distinct({2, 3}), s.normal({1})}, call},
          {"channels", {s.distinct({2, 3, 2}), s.normal({3})}, call},
          {"scalar", {s.distinct({}), s.normal({})}, call},
          {"empty", {s.distinct({0, 3}), s.normal({3})}, call}};
}

}  // namespace

std::vector<OpRecord> activation_ops() {
  return {
      smooth("sigmoid", {{"matrix", of(sigmoid)}}),
      smooth("logsigmoid", {{"matrix", of(logsigmoid)}}),
      smooth("softplus", {{"matrix", [](const Inputs& in) { return softplus(in[0]); }},
                          {"beta", [](const Inputs& in) { return softplus(in[0], 2.5); }},
                          {"threshold", [](const Inputs& in) { return softplus(in[0], 0.7, 0.5); }}}),
      kinked("softsign", {{"both signs", of(softsign)}}),
      kinked("relu", {{"both signs", of(relu)}}),
      kinked("leaky_relu", {{"both signs", [](const Inputs& in) { return leaky_relu(in[0]); }},
                            {"slope", [](const Inputs& in) { return leaky_relu(in[0], 0.3); }}}),
      {"prelu", true, prelu_samples},
      kinked("elu", {{"both signs", [](const Inputs& in) { return elu(in[0]); }},
                     {"alpha", [](const Inputs& in) { return elu(in[0], 1.7); }}}),
      kinked("selu", {{"both signs", of(selu)}}),
      kinked("celu", {{"both signs", [](const Inputs& in) { return celu(in[0]); }},
                      {"alpha", [](const Inputs& in) { return celu(in[0], 0.6); }}}),
      smooth("gelu", {{"matrix", of(gelu)}, {"tanh", [](const Inputs& in) { return gelu(in[0], GeluForm::tanh); }}}),
      smooth("silu", {{"matrix", of(silu)}}),
      smooth("mish", {{"matrix", of(mish)}}),
      kinked("hardtanh", {{"both kinks", [](const Inputs& in) { return hardtanh(in[0], -0.75, 0.9); }}}),
      kinked("relu6", {{"both kinks", [](const Inputs& in) { return relu6(in[0] * 6 + 3.21); }}}),
      kinked("hardsigmoid", {{"both kinks", [](const Inputs& in) { return hardsigmoid(in[0] * 3.5); }}}),
      kinked("hardswish", {{"both kinks", [](const Inputs& in) { return hardswish(in[0] * 3.5); }}}),
      kinked("hardshrink", {{"both kinks", [](const Inputs& in) { return hardshrink(in[0]); }},
                            {"lambd", [](const Inputs& in) { return hardshrink(in[0], 0.9); }}}),
      kinked("softshrink", {{"both kinks", [](const Inputs& in) { return softshrink(in[0]); }},
                            {"lambd", [](const Inputs& in) { return softshrink(in[0], 0.9); }}}),
      smooth("tanhshrink", {{"matrix", of(tanhshrink)}}),
      kinked("threshold", {{"both sides", [](const Inputs& in) { return threshold(in[0], 0.3, -2); }}}),
  };
}

}  // namespace ff
