#pragma once

#include <optional>

#include "ff/models/block.h"
#include "ff/models/vision/config.h"
#include "ff/nn/containers.h"
#include "ff/nn/conv.h"
#include "ff/nn/linear.h"

namespace ff::models {

/// Square images cut into square patches, each a token: (B, channels, size, size) to (B, patches, width).
class PatchEmbed : public nn::Module {
 public:
  PatchEmbed(std::int64_t channels, std::int64_t patch_size, std::int64_t width);
  Tensor forward(const Tensor& x) override;

  nn::Conv2d proj;
};

/// What a vision transformer makes of images, (B, classes) each.
struct VisionLogits {
  Tensor head;
  Tensor head_dist;  ///< of the distillation token; undefined where there is none
};

/// Vision transformer in the layout of DeiT (Touvron et al. 2021): images (B, channels, size, size) to logits
/// (B, classes), read off a class token. The distilled variant has a second token and a head for it, which learns from
/// a teacher; its logits are the mean of both heads'. Parameters are named as in timm, so that its checkpoints load.
/// Weights start truncated normal (0.02), biases at 0, the patches' projection as PyTorch's convolutions.
class VisionTransformer : public nn::Module {
 public:
  /// Throws Error where the patches do not divide the image, or the heads the width.
  explicit VisionTransformer(const VisionModelConfig& config);
  Tensor forward(const Tensor& images) override;
  /// The logits of each head alone.
  VisionLogits logits(const Tensor& images);

  const VisionModelConfig& config() const { return config_; }
  /// Tokens that are no patch, first in a sequence: the class token, and that of distillation.
  std::int64_t prefix_tokens() const { return config_.distilled ? 2 : 1; }

  PatchEmbed patch_embed;
  Tensor cls_token;   ///< (1, 1, width)
  Tensor dist_token;  ///< (1, 1, width), distilled alone
  Tensor pos_embed;   ///< (1, prefix_tokens() + patches, width)
  nn::Dropout pos_drop;
  nn::ModuleList<Block> blocks;
  nn::LayerNorm norm;
  nn::Linear head;
  std::optional<nn::Linear> head_dist;  ///< distilled alone

 private:
  void initialize();

  VisionModelConfig config_;
};

/// Position embeddings of a square grid of patches, (1, n^2, width) row by row, for a grid of side^2: resampled
/// bicubic, as DeiT does it where the images' size changes.
Tensor interpolate_positions(const Tensor& positions, std::int64_t side);

}  // namespace ff::models
