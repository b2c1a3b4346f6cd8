// Dot-product attention (Vaswani et al. 2017).

#include "ff/core/cpu/softmax_attention.h"

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

// Fills in what is left to defaults, so that the fused kernel and the composition see the same.
SoftmaxAttentionOptions resolve(const Tensor& q, const Tensor& k, const Tensor& v, SoftmaxAttentionOptions options) {
  const char* op = "softmax_attention";
  const cpu::AttentionSizes s = attention::sizes(op, q, k, v);
  attention::check_options(op, s, options.mask, options.dropout);
  options.random = attention::random_key(s, options.dropout, options.random);
  if (!options.scale) options.scale = 1 / std::sqrt(static_cast<double>(s.dim));
  return options;
}

Tensor composed(const Tensor& q, const Tensor& given_k, const Tensor& given_v, const SoftmaxAttentionOptions& o) {
  const Tensor k = attention::repeat_shared(given_k, q.size(1)), v = attention::repeat_shared(given_v, q.size(1));
  const Tensor scores = matmul(q, transpose(k, -2, -1)) * *o.scale;
  Tensor weights = softmax(attention::mask_scores(scores, o.causal, o.mask), -1);
  if (o.dropout > 0) weights = weights * dropout_mask(weights.shape(), o.dropout, *o.random, weights.dtype());
  return matmul(weights, v);
}

struct SoftmaxAttention : Function<SoftmaxAttention> {
  static constexpr const char* name = "softmax_attention";
  SoftmaxAttentionOptions options;
  cpu::AttentionSizes sizes{};

  template <class T>
  static void forward_kernel(const cpu::AttentionSizes& s, const cpu::AttentionMask& m, double scale, const Tensor& q,
                             const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse) {
    using attention::heads;
    const std::int64_t shared = attention::shared_by(s, k);
    cpu::softmax_attention(s, m, scale, heads<const T>(q), heads<const T>(k, shared), heads<const T>(v, shared),
                           heads<T>(out), lse.data<T>());
  }

  Tensor forward(Context& ctx, const Tensor& q, const Tensor& k, const Tensor& v,
                 const SoftmaxAttentionOptions& resolved) {
    options = resolved;
    sizes = attention::sizes(name, q, k, v);
    const Tensor out = attention::empty_heads(sizes.batch, sizes.heads, sizes.queries, sizes.value_dim, q.dtype());
    const cpu::AttentionMask m =
        attention::kernel_mask(sizes, options.causal, options.mask, options.dropout, *options.random);
    const Tensor dense_q = attention::with_dense_rows(q), dense_k = attention::with_dense_rows(k),
                 dense_v = attention::with_dense_rows(v);
    if (attention::decodes(ctx.recording(), sizes, q.dtype(), options.dropout)) {
      using attention::heads;
      const std::int64_t shared = attention::shared_by(sizes, k);
      cpu::softmax_decode(sizes, m, *options.scale, heads<const float>(dense_q), heads<const float>(dense_k, shared),
                          heads<const float>(dense_v, shared), heads<float>(out));
      return out;
    }
    const Tensor lse = Tensor::empty({sizes.batch, sizes.heads, sizes.queries}, q.dtype());
    dispatch_floating(q.dtype(), [&](auto tag) {
      forward_kernel<decltype(tag)>(sizes, m, *options.scale, dense_q, dense_k, dense_v, out, lse);
    });
    ctx.save({q, k, v, out, lse, options.mask});
    return out;
  }

  template <class T>
  static void backward_kernel(const cpu::AttentionSizes& s, const cpu::AttentionMask& m, double scale, Context& ctx,
                              const Tensor& dy, const Gradients& out) {
    using attention::heads, attention::with_dense_rows;
    const Tensor q = with_dense_rows(ctx.saved(0)), k = with_dense_rows(ctx.saved(1)),
                 v = with_dense_rows(ctx.saved(2));
    const Tensor dense_dy = with_dense_rows(dy);
    const std::int64_t shared = attention::shared_by(s, k);
    cpu::softmax_attention_backward(s, m, scale, heads<const T>(q), heads<const T>(k, shared),
                                    heads<const T>(v, shared), heads<const T>(ctx.saved(3)), ctx.saved(4).data<T>(),
                                    heads<const T>(dense_dy), heads<T>(out[0]), heads<T>(out[1]), heads<T>(out[2]));
  }

  Gradients backward(Context& ctx, const Tensor& dy) const {
    if (grad_enabled())
      return kernels::backward_of_composition([&](const auto& in) { return composed(in[0], in[1], in[2], options); },
                                              {ctx.saved(0), ctx.saved(1), ctx.saved(2)}, dy);
    const auto [b, h, n, m, d, e] = sizes;
    const Gradients out{attention::empty_heads(b, h, n, d, dy.dtype()), attention::empty_heads(b, h, m, d, dy.dtype()),
                        attention::empty_heads(b, h, m, e, dy.dtype())};
    const cpu::AttentionMask mask =
        attention::kernel_mask(sizes, options.causal, ctx.saved(5), options.dropout, *options.random);
    dispatch_floating(dy.dtype(),
                      [&](auto tag) { backward_kernel<decltype(tag)>(sizes, mask, *options.scale, ctx, dy, out); });
    const std::int64_t shared = attention::shared_by(sizes, ctx.saved(1));
    return {out[0], attention::sum_shared(out[1], shared), attention::sum_shared(out[2], shared)};
  }
};

}  // namespace

Tensor softmax_attention(const Tensor& q, const Tensor& k, const Tensor& v, const SoftmaxAttentionOptions& options,
                         Where site) {
  const CallSite here(site);
  return SoftmaxAttention::apply(q, k, v, resolve(q, k, v, options));
}

Tensor softmax_attention_composed(const Tensor& q, const Tensor& k, const Tensor& v,
                                  const SoftmaxAttentionOptions& options, Where site) {
  const CallSite here(site);
  return composed(q, k, v, resolve(q, k, v, options));
}

std::vector<OpRecord> softmax_attention_ops() {
  auto samples = [](auto op) {
    return [op](Sampler& s) {
      auto call = [op](const SoftmaxAttentionOptions& o) {
        return [=](const std::vector<Tensor>& in) {
          SoftmaxAttentionOptions masked = o;
          if (in.size() > 3) masked.mask = in[3];
          return op(in[0], in[1], in[2], masked, {});
        };
      };
      auto inputs = [&](std::int64_t n, std::int64_t m) {
        return std::vector<Tensor>{s.normal({1, 2, n, 3}), s.normal({1, 2, m, 3}), s.normal({1, 2, m, 2})};
      };
      std::vector<Tensor> with_mask = inputs(4, 5);
      with_mask.push_back(gt(s.normal({4, 5}), -0.5));
      return std::vector<OpSample>{
          {"self", inputs(4, 4), call({})},
          {"causal", inputs(4, 4), call({.causal = true})},
          {"cross, masked", with_mask, call({})},
          {"dropped, scaled", inputs(3, 4), call({.dropout = 0.3, .random = RandomKey{5, 9}, .scale = 0.7})},
          {"shared heads",
           {s.normal({1, 4, 3, 2}), s.normal({1, 2, 3, 2}), s.normal({1, 2, 3, 2})},
           call({.causal = true})},
          {"one shared head", {s.normal({2, 2, 2, 2}), s.normal({2, 1, 3, 2}), s.normal({2, 1, 3, 1})}, call({})},
          {"one", inputs(1, 1), call({})},
          {"no queries", inputs(0, 2), call({})}};
    };
  };
  return {{"softmax_attention", true, samples(softmax_attention)},
          {"softmax_attention_composed", true, samples(softmax_attention_composed)}};
}

}  // namespace ff
