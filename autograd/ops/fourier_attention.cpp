// Generalised Fourier integral attention (Nguyen, Pham, Nguyen, Nguyen, Osher, Ho 2022, arXiv 2206.00206).

#include "ff/core/cpu/fourier_attention.h"

#include <cmath>

#include "ff/autograd/function.h"
#include "ff/autograd/ops/attention_arguments.h"
#include "ff/autograd/ops/kernels.h"
#include "ff/autograd/ops/op_table.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/cpu/decode.h"

namespace ff {
namespace {

// Checks the arguments and draws the random stretch, so that the fused kernel and the composition see the same.
FourierAttentionOptions resolve(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                                FourierAttentionOptions options) {
  const char* op = "fourier_attention";
  const cpu::AttentionSizes s = attention::sizes(op, q, k, v);
  attention::check_options(op, s, options.mask, options.dropout);
  const Shape full{s.heads, s.dim};
  if (R.rank() != 0 && R.shape() != Shape{s.dim} && R.shape() != full)
    fail(op, "R must be a scalar, ({},) or {}: its shape is {}", s.dim, full.str(), R.shape().str());
  check(R.dtype() == q.dtype(), op, "R must have the dtype of q, {}: {}", name(q.dtype()), name(R.dtype()));
  check(options.power >= 1 && std::isfinite(options.power), op, "the power must be at least 1: {}", options.power);
  check(options.epsilon >= 0 && std::isfinite(options.epsilon), op, "epsilon must be at least 0: {}", options.epsilon);
  options.random = attention::random_key(s, options.dropout, options.random);
  return options;
}

// w (B, H, N, M) as in the paper, of log K: epsilon is one more key, of score log(epsilon), whose weight is left out.
// In f64 whatever the dtype, since near a zero of the sinc its logarithm magnifies the rounding of x.
Tensor weights(const Tensor& given_q, const Tensor& given_k, const Tensor& given_R, const FourierAttentionOptions& o) {
  const Tensor q = cast(given_q, f64), k = cast(attention::repeat_shared(given_k, given_q.size(1)), f64),
               R = cast(given_R, f64);
  const Tensor radius = R.rank() == 2 ? reshape(R, {R.size(0), 1, 1, R.size(1)}) : R;
  const Tensor x = (unsqueeze(q, 3) - unsqueeze(k, 2)) * radius;  // (B, H, N, M, D)
  const Tensor scores = attention::mask_scores(sum(log_sinc(x), {-1}) * o.power, o.causal, o.mask);
  if (o.epsilon == 0) return softmax(scores, -1);
  Shape phantom = scores.shape();
  phantom[3] = 1;
  return slice(softmax(concatenate({scores, full(phantom, std::log(o.epsilon), {.dtype = q.dtype()})}, -1), -1), -1, 0,
               -1);
}

Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R, const FourierAttentionOptions& o) {
  Tensor w = weights(q, k, R, o);
  if (o.dropout > 0) w = w * dropout_mask(w.shape(), o.dropout, *o.random, w.dtype());
  return cast(matmul(w, cast(attention::repeat_shared(v, q.size(1)), f64)), v.dtype());
}

struct FourierAttention : Function<FourierAttention> {
  static constexpr const char* name = "fourier_attention";
  FourierAttentionOptions options;
  cpu::AttentionSizes sizes{};

  // R as the kernels take it, (H, D) dense.
  Tensor radius(const Tensor& R) const {
    const Shape full{sizes.heads, sizes.dim};
    return R.as_strided(full, broadcast_strides(R.shape(), R.strides(), full)).dense();
  }
  cpu::FourierKernel kernel() const { return {.power = options.power, .epsilon = options.epsilon}; }

  Tensor forward(Context& ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                 const FourierAttentionOptions& resolved) {
    options = resolved;
    sizes = attention::sizes(name, q, k, v);
    const Tensor out = attention::empty_heads(sizes.batch, sizes.heads, sizes.queries, sizes.value_dim, q.dtype());
    const Shape rows{sizes.batch, sizes.heads, sizes.queries};
    const Tensor r = radius(R);
    const cpu::AttentionMask mask =
        attention::kernel_mask(sizes, options.causal, options.mask, options.dropout, *options.random);
    const Tensor dense_q = attention::with_dense_rows(q), dense_k = attention::with_dense_rows(k),
                 dense_v = attention::with_dense_rows(v);
    const std::int64_t shared = attention::shared_by(sizes, k);
    using attention::heads;
    if (attention::decodes(ctx.recording(), sizes, q.dtype(), options.dropout)) {
      cpu::fourier_decode(sizes, mask, kernel(), heads<const float>(dense_q), heads<const float>(dense_k, shared),
                          heads<const float>(dense_v, shared), r.data<float>(), heads<float>(out));
      return out;
    }
    const Tensor row_max = Tensor::empty(rows, q.dtype()), row_sum = Tensor::empty(rows, q.dtype());
    const bool keep = ctx.recording() && q.dtype() == f32 && cpu::kept_weights(sizes) > 0;
    const Tensor kept = keep ? Tensor::empty({cpu::kept_weights(sizes)}, f32) : Tensor();
    dispatch_floating(q.dtype(), [&](auto tag) {
      using T = decltype(tag);
      cpu::fourier_attention(sizes, mask, kernel(), heads<const T>(dense_q), heads<const T>(dense_k, shared),
                             heads<const T>(dense_v, shared), r.data<T>(), heads<T>(out),
                             {row_max.data<T>(), row_sum.data<T>(), keep ? kept.data<T>() : nullptr});
    });
    ctx.save({q, k, v, R, out, row_max, row_sum, options.mask, kept});
    return out;
  }

  template <class T>
  void backward_kernel(const cpu::AttentionMask& mask, Context& ctx, const Tensor& dy, const Gradients& out) const {
    using attention::heads, attention::with_dense_rows;
    const Tensor q = with_dense_rows(ctx.saved(0)), k = with_dense_rows(ctx.saved(1)),
                 v = with_dense_rows(ctx.saved(2));
    const Tensor kept = ctx.saved(8), r = radius(ctx.saved(3)), dense_dy = with_dense_rows(dy);
    const std::int64_t shared = attention::shared_by(sizes, k);
    cpu::fourier_attention_backward(
        sizes, mask, kernel(), heads<const T>(q), heads<const T>(k, shared), heads<const T>(v, shared), r.data<T>(),
        heads<const T>(ctx.saved(4)),
        {ctx.saved(5).data<T>(), ctx.saved(6).data<T>(), kept.defined() ? kept.data<T>() : nullptr},
        heads<const T>(dense_dy), heads<T>(out[0]), heads<T>(out[1]), heads<T>(out[2]), out[3].data<T>());
  }

  // dR comes for each head and feature; the engine sums it over what shares R.
  Gradients backward(Context& ctx, const Tensor& dy) const {
    if (grad_enabled())
      return kernels::backward_of_composition(
          [&](const auto& in) { return composed(in[0], in[1], in[2], in[3], options); },
          {ctx.saved(0), ctx.saved(1), ctx.saved(2), ctx.saved(3)}, dy);
    const auto [b, h, n, m, d, e] = sizes;
    const Gradients out{attention::empty_heads(b, h, n, d, dy.dtype()), attention::empty_heads(b, h, m, d, dy.dtype()),
                        attention::empty_heads(b, h, m, e, dy.dtype()), Tensor::empty({h, d}, dy.dtype())};
    const cpu::AttentionMask mask =
        attention::kernel_mask(sizes, options.causal, ctx.saved(7), options.dropout, *options.random);
    dispatch_floating(dy.dtype(), [&](auto tag) { backward_kernel<decltype(tag)>(mask, ctx, dy, out); });
    const std::int64_t shared = attention::shared_by(sizes, ctx.saved(1));
    return {out[0], attention::sum_shared(out[1], shared), attention::sum_shared(out[2], shared), out[3]};
  }
};

}  // namespace

Tensor fourier_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                         const FourierAttentionOptions& options, Where site) {
  const CallSite here(site);
  return FourierAttention::apply(q, k, v, R, resolve(q, k, v, R, options));
}

Tensor fourier_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& R,
                                  const FourierAttentionOptions& options, Where site) {
  const CallSite here(site);
  return composed(q, k, v, R, resolve(q, k, v, R, options));
}

Tensor fourier_attention_weights(const Tensor& q, const Tensor& k, const Tensor& R,
                                 const FourierAttentionOptions& options, Where site) {
  const CallSite here(site);
  return cast(weights(q, k, R, resolve(q, k, k, R, options)), q.dtype());
}

std::vector<OpRecord> fourier_attention_ops() {
  auto samples = [](auto op) {
    return [op](Sampler& s) {
      auto call = [op](const FourierAttentionOptions& o) {
        return [=](const std::vector<Tensor>& in) { return op(in[0], in[1], in[2], in[3], o, {}); };
      };
      auto inputs = [&](std::int64_t n, std::int64_t m, const Shape& radius) {
        return std::vector<Tensor>{s.normal({1, 2, n, 3}), s.normal({1, 2, m, 3}), s.normal({1, 2, m, 2}),
                                   s.uniform(radius, 0.5, 1)};
      };
      const Tensor mask = gt(s.normal({4, 5}), -0.5);
      return std::vector<OpSample>{
          {"self", inputs(4, 4, {}), call({})},
          {"causal, squared", inputs(4, 4, {3}), call({.power = 2, .causal = true})},
          {"cross, masked, R a head", inputs(4, 5, {2, 3}), call({.power = 6, .mask = mask})},
          {"epsilon, odd power", inputs(3, 4, {}), call({.power = 2.5, .epsilon = 0.1})},
          {"dropped", inputs(3, 4, {}), call({.dropout = 0.3, .random = RandomKey{5, 9}})},
          {"shared heads",
           {s.normal({1, 4, 3, 2}), s.normal({1, 2, 3, 2}), s.normal({1, 2, 3, 1}), s.uniform({4, 2}, 0.5, 1)},
           call({.causal = true})},
          {"one", inputs(1, 1, {}), call({.epsilon = 0.5})},
          {"no queries", inputs(0, 2, {}), call({})}};
    };
  };
  return {{"fourier_attention", true, samples(fourier_attention)},
          {"fourier_attention_composed", true, samples(fourier_attention_composed)},
          {"fourier_attention_weights", true, [](Sampler& s) {
             return std::vector<OpSample>{{"epsilon",
                                           {s.normal({1, 2, 3, 2}), s.normal({1, 2, 4, 2}), s.uniform({2}, 0.5, 1)},
                                           [](const std::vector<Tensor>& in) {
                                             return fourier_attention_weights(in[0], in[1], in[2], {.epsilon = 0.1});
                                           }}};
           }}};
}

}  // namespace ff
