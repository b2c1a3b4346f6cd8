#pragma once

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

/// Vision transformer in the layout of DeiT: images (B, channels, size, size) to logits (B, classes), read off a class
/// token. Parameters are named as in timm, so that its checkpoints load. Weights start truncated normal (0.02), biases
/// at 0, the patches' projection as PyTorch's convolutions.
class VisionTransformer : public nn::Module {
 public:
  /// Throws Error where the patches do not divide the image, or the heads the width.
  explicit VisionTransformer(const VisionModelConfig& config);
  Tensor forward(const Tensor& images) override;

  const VisionModelConfig& config() const { return config_; }

  PatchEmbed patch_embed;
  Tensor cls_token;  ///< (1, 1, width)
  Tensor pos_embed;  ///< (1, 1 + patches, width)
  nn::Dropout pos_drop;
  nn::ModuleList<Block> blocks;
  nn::LayerNorm norm;
  nn::Linear head;

 private:
  void initialize();

  VisionModelConfig config_;
};

}  // namespace ff::models
