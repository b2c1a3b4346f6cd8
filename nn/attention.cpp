#include "ff/nn/attention.h"

#include <algorithm>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"

namespace ff::nn {
namespace {

Shape radius_shape(RadiusShape shape, std::int64_t heads, std::int64_t features) {
  switch (shape) {
    case RadiusShape::scalar:
      return {};
    case RadiusShape::feature:
      return {features};
    case RadiusShape::head_feature:
      break;
  }
  return {heads, features};
}

void check_tokens(const char* what, const Tensor& x, std::int64_t dim) {
  if (x.rank() != 3 || x.shape()[2] != dim)
    fail("MultiHeadAttention", "{} must be (B, N, {}); its shape is {}", what, dim, x.shape().str());
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t dim, std::int64_t num_heads, const AttentionOptions& options)
    : qkv(dim, 3 * dim, {.bias = options.qkv_bias}),
      proj(dim, dim, {.bias = options.proj_bias}),
      proj_drop(options.proj_drop),
      dim_(dim),
      num_heads_(num_heads),
      options_(options) {
  check(num_heads >= 1 && dim % num_heads == 0, "MultiHeadAttention", "{} heads do not divide width {}", num_heads,
        dim);
  check(options.attn_drop >= 0 && options.attn_drop < 1, "MultiHeadAttention", "attn_drop must be in [0, 1): {}",
        options.attn_drop);
  add("qkv", qkv);
  add("heads", heads);
  add("proj", proj);
  add("proj_drop", proj_drop);
  if (options.attention == AttentionKind::softmax) return;
  check(options.power >= 1, "MultiHeadAttention", "power must be at least 1: {}", options.power);
  check(options.epsilon >= 0, "MultiHeadAttention", "epsilon must not be negative: {}", options.epsilon);
  R = Tensor::empty(radius_shape(options.radius_shape, num_heads, dim / num_heads));
  R.fill(options.radius);
  if (options.learn_radius)
    add_parameter("R", R);
  else
    add_buffer("R", R);
}

Tensor MultiHeadAttention::forward(const Tensor& x) { return forward(x, AttentionInputs{}); }

Tensor MultiHeadAttention::operator()(const Tensor& x, const AttentionInputs& inputs, Where site) {
  return call(
      x, [&](const Tensor& input) { return forward(input, inputs); }, site);
}

Tensor MultiHeadAttention::forward(const Tensor& x, const AttentionInputs& inputs) {
  check_tokens("the input", x, dim_);
  if (inputs.context.defined()) check_tokens("the context", inputs.context, dim_);
  Projections projections = project(x, inputs.context);
  if (inputs.cache != nullptr) extend(projections, inputs);
  const double drop = training() ? options_.attn_drop : 0;
  const Tensor y = heads(attend(projections, inputs.mask, drop));  // (B, H, N, D)
  if (observer) observer(*this, {projections.q, projections.k, inputs.mask, y});
  const Tensor joined = reshape(transpose(y, 1, 2), {x.size(0), x.size(1), dim_});  // no copy: the op lays it out so
  return proj_drop(proj(joined));
}

KeyValueCache MultiHeadAttention::make_cache(std::int64_t batch, std::int64_t capacity) const {
  return KeyValueCache(batch, num_heads_, capacity, dim_ / num_heads_, qkv.weight.dtype());
}

void MultiHeadAttention::extend(Projections& p, const AttentionInputs& inputs) const {
  check(!training() && !grad_enabled(), "MultiHeadAttention",
        "a cache holds no gradients: it is for evaluation mode, under NoGrad");
  check(!inputs.context.defined(), "MultiHeadAttention", "a cache is of the input's own keys; a context was given too");
  inputs.cache->append(p.k, p.v);
  p.k = inputs.cache->keys();
  p.v = inputs.cache->values();
}

// Queries, keys and values are views of one product's result. They are split off where it is dense, so that their
// gradients are gathered in one pass.
MultiHeadAttention::Projections MultiHeadAttention::project(const Tensor& x, const Tensor& context) {
  const std::int64_t features = dim_ / num_heads_;
  auto heads_of = [](const Tensor& part) { return transpose(part, 1, 2); };  // (B, N, H, D) to (B, H, N, D)
  if (!context.defined()) {
    const auto parts = unbind(reshape(qkv(x), {x.size(0), x.size(1), 3, num_heads_, features}), 2);
    return {heads_of(parts[0]), heads_of(parts[1]), heads_of(parts[2])};
  }
  const auto weights = split(qkv.weight, {dim_, 2 * dim_});
  const auto biases = qkv.bias.defined() ? split(qkv.bias, {dim_, 2 * dim_}) : std::vector<Tensor>(2);
  const Tensor q = reshape(linear(x, weights[0], biases[0]), {x.size(0), x.size(1), num_heads_, features});
  const Tensor kv = linear(context, weights[1], biases[1]);
  const auto parts = unbind(reshape(kv, {context.size(0), context.size(1), 2, num_heads_, features}), 2);
  return {heads_of(q), heads_of(parts[0]), heads_of(parts[1])};
}

Tensor MultiHeadAttention::attend(const Projections& p, const Tensor& mask, double drop) const {
  if (options_.attention == AttentionKind::softmax)
    return softmax_attention(p.q, p.k, p.v, {.causal = options_.causal, .mask = mask, .dropout = drop});
  return fourier_attention(
      p.q, p.k, p.v, R,
      {.power = options_.power, .epsilon = options_.epsilon, .causal = options_.causal, .mask = mask, .dropout = drop});
}

// Rows are cut out of causal attention with the keys that the last of them sees, since it aligns queries and keys at
// their ends.
Tensor MultiHeadAttention::weights(const AttentionView& view, std::int64_t begin, std::int64_t end) const {
  const std::int64_t queries = view.q.size(2), keys = view.k.size(2);
  check(0 <= begin && begin < end && end <= queries, "MultiHeadAttention", "weights of rows {} .. {} of {}", begin, end,
        queries);
  const std::int64_t seen = options_.causal ? std::max<std::int64_t>(keys - (queries - end), 0) : keys;
  const Shape batch{view.q.size(0), num_heads_};
  auto of_batch = [&](const Tensor& x, std::int64_t rows) { return broadcast_to(x, {batch[0], batch[1], rows, keys}); };
  const Tensor unit = narrow(eye(keys, {.dtype = view.q.dtype()}), 0, 0, seen);
  const Tensor mask =
      view.mask.defined() ? narrow(narrow(of_batch(view.mask, queries), 2, begin, end - begin), 3, 0, seen) : Tensor();
  return attend({narrow(view.q, 2, begin, end - begin), narrow(view.k, 2, 0, seen), of_batch(unit, seen)}, mask, 0);
}

}  // namespace ff::nn
