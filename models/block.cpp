#include "ff/models/block.h"

#include "ff/autograd/ops/ops.h"
#include "ff/nn/init.h"

namespace ff::models {

double drop_path_at(std::int64_t index, std::int64_t depth, double last) {
  return depth > 1 ? last * static_cast<double>(index) / static_cast<double>(depth - 1) : 0;
}

void init_linears(nn::Module& model, double std) {
  model.apply([std](nn::Module& module) {
    auto* linear = dynamic_cast<nn::Linear*>(&module);
    if (linear == nullptr) return;
    nn::init::trunc_normal_(linear->weight, 0, std);
    if (linear->bias.defined()) nn::init::zeros_(linear->bias);
  });
}

Block::Block(const BlockOptions& options)
    : norm1(options.width, {.eps = options.norm_eps}),
      attn(options.width, options.heads, options.attention),
      norm2(options.width, {.eps = options.norm_eps}),
      mlp(options.width, options.hidden, {.activation = options.activation, .drop = options.drop}),
      drop_path(options.drop_path),
      norm_order_(options.norm_order) {
  add("norm1", norm1);
  add("attn", attn);
  add("norm2", norm2);
  add("mlp", mlp);
  add("drop_path", drop_path);
}

Tensor Block::forward(const Tensor& x) { return forward(x, nn::AttentionInputs{}); }

Tensor Block::operator()(const Tensor& x, const nn::AttentionInputs& inputs, Where site) {
  return call(
      x, [&](const Tensor& input) { return forward(input, inputs); }, site);
}

Tensor Block::forward(const Tensor& x, const nn::AttentionInputs& inputs) {
  if (norm_order_ == NormOrder::after) {
    const Tensor y = norm1.of_sum(x, drop_path(attn(x, inputs))).norm;
    return norm2.of_sum(y, drop_path(mlp(y))).norm;
  }
  const auto [y, normal] = norm2.of_sum(x, drop_path(attn(norm1(x), inputs)));
  return drop_path.add_to(y, mlp(normal));
}

}  // namespace ff::models
