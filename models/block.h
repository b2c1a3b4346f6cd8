#pragma once

#include <cmath>

#include "ff/nn/activation.h"
#include "ff/nn/attention.h"
#include "ff/nn/dropout.h"
#include "ff/nn/mlp.h"
#include "ff/nn/norm.h"

namespace ff::models {

/// Where a block normalises.
enum class NormOrder {
  before,  ///< the input of each branch: x + f(norm(x)), as vision transformers do
  after,   ///< each sum: norm(x + f(x)), as in Vaswani et al. 2017
};

struct BlockOptions {
  std::int64_t width = 0, heads = 1, hidden = 0;  ///< hidden: of the feed-forward part
  nn::AttentionOptions attention{};
  nn::Activation activation = nn::Activation::gelu;
  NormOrder norm_order = NormOrder::before;
  double norm_eps = 1e-5;
  double drop = 0;       ///< dropout in the feed-forward part
  double drop_path = 0;  ///< stochastic depth: probability that a sample skips a branch
};

/// Stochastic depth of block `index` of `depth`: from 0 in the first in a straight line to `last` (Huang et al. 2016).
double drop_path_at(std::int64_t index, std::int64_t depth, double last);

/// Block `index` of an encoder as a configuration describes it (width, depth, heads, mlp_ratio, attention, dropout,
/// drop_path): pre-norm and GELU, dropout after both parts, stochastic depth that rises with the index.
template <class Config>
BlockOptions encoder_block(const Config& config, std::int64_t index, double norm_eps) {
  BlockOptions block{.width = config.width,
                     .heads = config.heads,
                     .hidden = std::llround(config.mlp_ratio * static_cast<double>(config.width)),
                     .attention = config.attention,
                     .norm_eps = norm_eps,
                     .drop = config.dropout,
                     .drop_path = drop_path_at(index, config.depth, config.drop_path)};
  block.attention.proj_drop = config.dropout;
  return block;
}

/// Starts every Linear of a model truncated normal (0, std), its bias at 0, as vision transformers do.
void init_linears(nn::Module& model, double std);

/// A transformer block (B, N, width) to the same: attention, then a feed-forward part, each added to what it was given.
/// Parameters are named as in timm, whichever the norm order: norm1, attn.qkv, attn.proj, attn.R, norm2, mlp.fc1,
/// mlp.fc2.
class Block : public nn::Module {
 public:
  explicit Block(const BlockOptions& options);
  Tensor forward(const Tensor& x) override;
  /// With a mask or cache for the attention.
  Tensor forward(const Tensor& x, const nn::AttentionInputs& inputs);
  using Module::operator();
  Tensor operator()(const Tensor& x, const nn::AttentionInputs& inputs, Where site = {});

  nn::LayerNorm norm1;
  nn::MultiHeadAttention attn;
  nn::LayerNorm norm2;
  nn::Mlp mlp;
  nn::DropPath drop_path;

 private:
  NormOrder norm_order_;
};

}  // namespace ff::models
