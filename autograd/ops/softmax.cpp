// softmax and its logarithm along one dimension.

#include "ff/core/cpu/softmax.h"

#include "ff/autograd/function.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff {
namespace {

// Rows of the last dimension.
std::int64_t row_size(const Tensor& x) { return x.rank() > 0 ? x.size(-1) : 1; }
std::int64_t rows(const Tensor& x) { return row_size(x) > 0 ? x.numel() / row_size(x) : 0; }

struct Softmax : Function<Softmax> {
  static constexpr const char* name = "softmax";
  static Tensor forward(Context& ctx, const Tensor& x) {
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    cpu::softmax(x.dtype(), rows(x), row_size(x), dense.raw(), y.raw());
    ctx.save({y});
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor y = ctx.saved(0);
    if (grad_enabled()) return {y * (dy - sum(y * dy, {-1}, true))};
    Tensor dx = Tensor::empty(y.shape(), y.dtype());
    cpu::softmax_backward(y.dtype(), rows(y), row_size(y), y.raw(), dy.dense().raw(), dx.raw());
    return {dx};
  }
};

struct LogSoftmax : Function<LogSoftmax> {
  static constexpr const char* name = "log_softmax";
  static Tensor forward(Context& ctx, const Tensor& x) {
    const Tensor dense = x.dense();
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    cpu::log_softmax(x.dtype(), rows(x), row_size(x), dense.raw(), y.raw());
    ctx.save({y});
    return y;
  }
  static Gradients backward(Context& ctx, const Tensor& dy) {
    const Tensor y = ctx.saved(0);
    if (grad_enabled()) return {dy - exp(y) * sum(dy, {-1}, true)};
    Tensor dx = Tensor::empty(y.shape(), y.dtype());
    cpu::log_softmax_backward(y.dtype(), rows(y), row_size(y), y.raw(), dy.dense().raw(), dx.raw());
    return {dx};
  }
};

// The kernels work along the last dimension; another is exchanged with it, before and after.
template <class Op>
Tensor along(const Tensor& x, int dim) {
  const int at = normalize_dim(Op::name, dim, x.rank());
  const Tensor real = kernels::floating(x);
  return x.rank() < 2 || at == x.rank() - 1 ? Op::apply(real) : transpose(Op::apply(transpose(real, at, -1)), at, -1);
}

}  // namespace

Tensor softmax(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  return along<Softmax>(x, dim);
}
Tensor log_softmax(const Tensor& x, int dim, Where site) {
  const CallSite here(site);
  return along<LogSoftmax>(x, dim);
}

std::vector<OpRecord> softmax_ops() {
  auto record = [](std::string_view name, Tensor (*op)(const Tensor&, int, Where)) {
    return OpRecord{name, true, [op](Sampler& s) {
                      auto call = [op](int dim) {
                        return [=](const std::vector<Tensor>& in) { return op(in[0], dim, {}); };
                      };
                      return std::vector<OpSample>{
                          {"last", {s.normal({3, 5})}, call(-1)},     {"first", {s.normal({3, 2})}, call(0)},
                          {"middle", {s.normal({2, 3, 2})}, call(1)}, {"scalar", {s.normal({})}, call(0)},
                          {"size 1", {s.normal({2, 1})}, call(1)},    {"no rows", {s.normal({0, 3})}, call(1)},
                          {"empty rows", {s.normal({3, 0})}, call(1)}};
                    }};
  };
  return {record("softmax", softmax), record("log_softmax", log_softmax)};
}

}  // namespace ff
