// Dropout (Srivastava et al. 2014).

#include "ff/core/cpu/dropout.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// What is drawn: one word for each span elements.
struct Draw {
  double p;
  RandomKey key;
  std::int64_t span;
};

// residual, where there is one, plus x with some of it dropped. The gradient is dropped likewise.
struct Dropout : Function<Dropout> {
  static constexpr const char* name = "dropout";
  Draw draw{};
  Tensor forward(Context&, const Tensor& x, const Tensor& residual, const Draw& drawn) {
    draw = drawn;
    const Tensor from = x.dense(), onto = residual.defined() ? residual.dense() : Tensor();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    cpu::dropout(x.dtype(), x.numel(), draw.p, draw.key, draw.span, from.raw(), onto.defined() ? onto.raw() : nullptr,
                 y.raw());
    return y;
  }
  Gradients backward(Context& ctx, const Tensor& dy) const {
    return {ctx.needs_grad(0) ? Dropout::apply(dy, Tensor(), draw) : Tensor(), ctx.needs_grad(1) ? dy : Tensor()};
  }
};

void check_arguments(const char* op, const Tensor& x, double p) {
  check(p >= 0 && p < 1, op, "the probability must lie in [0, 1): {}", p);
  kernels::check_floating(op, x);
}

// With a word for each span elements of x.
Tensor dropped(const Tensor& x, const Tensor& residual, double p, std::int64_t span, Generator& generator) {
  const std::int64_t words = x.numel() / std::max<std::int64_t>(span, 1);
  return Dropout::apply(x, residual,
                        Draw{p, generator.next(static_cast<std::uint64_t>(words)), std::max<std::int64_t>(span, 1)});
}

std::int64_t sample_size(const char* op, const Tensor& x) {
  check(x.rank() >= 1, op, "a tensor of samples is needed, not a scalar");
  return x.numel() / std::max<std::int64_t>(x.size(0), 1);
}

void check_residual(const char* op, const Tensor& x, const Tensor& residual) {
  check(residual.shape() == x.shape() && residual.dtype() == x.dtype(), op,
        "x of shape {} and dtype {} does not go with a residual of shape {} and dtype {}", x.shape().str(),
        name(x.dtype()), residual.shape().str(), name(residual.dtype()));
}

}  // namespace

Tensor dropout_mask(const Shape& shape, double p, RandomKey key, DType dtype, Where site) {
  const CallSite here(site);
  check(p >= 0 && p < 1, "dropout", "the probability must lie in [0, 1): {}", p);
  Tensor keep = Tensor::empty(shape, boolean);
  fill_keep(static_cast<std::uint8_t*>(keep.raw()), keep.numel(), p, key);
  return keep.copy(dtype) * (1 / (1 - p));
}

Tensor dropout(const Tensor& x, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check_arguments("dropout", x, p);
  return p == 0 ? x : dropped(x, {}, p, 1, generator);
}

Tensor dropout2d(const Tensor& x, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check_arguments("dropout2d", x, p);
  check(x.rank() >= 3, "dropout2d", "x must be (B, C, ..): its shape is {}", x.shape().str());
  const std::int64_t channels = std::max<std::int64_t>(x.size(0) * x.size(1), 1);
  return p == 0 ? x : dropped(x, {}, p, x.numel() / channels, generator);
}

Tensor drop_path(const Tensor& x, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check_arguments("drop_path", x, p);
  const std::int64_t span = sample_size("drop_path", x);
  return p == 0 ? x : dropped(x, {}, p, span, generator);
}

Tensor dropout_add(const Tensor& x, const Tensor& residual, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check_arguments("dropout_add", x, p);
  check_residual("dropout_add", x, residual);
  return p == 0 ? residual + x : dropped(x, residual, p, 1, generator);
}

Tensor drop_path_add(const Tensor& x, const Tensor& residual, double p, Generator& generator, Where site) {
  const CallSite here(site);
  check_arguments("drop_path_add", x, p);
  check_residual("drop_path_add", x, residual);
  const std::int64_t span = sample_size("drop_path_add", x);
  return p == 0 ? residual + x : dropped(x, residual, p, span, generator);
}

namespace {

using Inputs = std::vector<Tensor>;

// Each call draws the same numbers.
OpSample drawn(const std::vector<Tensor>& inputs, const std::function<Tensor(const Inputs&, Generator&)>& call) {
  return {"a third", inputs, [=](const Inputs& in) {
            Generator same(7);
            return call(in, same);
          }};
}

}  // namespace

std::vector<OpRecord> dropout_ops() {
  using Samples = std::vector<OpSample>;
  return {{"dropout", true,
           [](Sampler& s) {
             return Samples{
                 drawn({s.normal({4, 5})}, [](const Inputs& in, Generator& g) { return dropout(in[0], 0.3, g); })};
           }},
          {"dropout2d", true,
           [](Sampler& s) {
             return Samples{drawn({s.normal({2, 3, 2, 1})},
                                  [](const Inputs& in, Generator& g) { return dropout2d(in[0], 0.3, g); })};
           }},
          {"drop_path", true,
           [](Sampler& s) {
             return Samples{
                 drawn({s.normal({6, 3})}, [](const Inputs& in, Generator& g) { return drop_path(in[0], 0.3, g); })};
           }},
          {"dropout_add", true,
           [](Sampler& s) {
             return Samples{drawn({s.normal({4, 5}), s.normal({4, 5})},
                                  [](const Inputs& in, Generator& g) { return dropout_add(in[0], in[1], 0.3, g); })};
           }},
          {"drop_path_add", true, [](Sampler& s) {
             return Samples{drawn({s.normal({6, 3}), s.normal({6, 3})},
                                  [](const Inputs& in, Generator& g) { return drop_path_add(in[0], in[1], 0.3, g); })};
           }}};
}

}  // namespace ff
