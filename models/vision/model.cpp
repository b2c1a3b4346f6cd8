#include "ff/models/vision/model.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::models {
namespace {

constexpr const char* op = "VisionTransformer";
constexpr double norm_eps = 1e-6, init_std = 0.02;

VisionModelConfig checked(const VisionModelConfig& config) {
  check(config.image_size >= 1 && config.patch_size >= 1 && config.image_size % config.patch_size == 0, op,
        "patches of {} do not divide an image of {}", config.patch_size, config.image_size);
  check(config.depth >= 1, op, "at least one block is needed: {}", config.depth);
  return config;
}

}  // namespace

PatchEmbed::PatchEmbed(std::int64_t channels, std::int64_t patch_size, std::int64_t width)
    : proj(channels, width, {patch_size, patch_size}, {.stride = {patch_size, patch_size}}) {
  add("proj", proj);
}

Tensor PatchEmbed::forward(const Tensor& x) { return transpose(flatten(proj(x), 2), 1, 2); }

VisionTransformer::VisionTransformer(const VisionModelConfig& config)
    : patch_embed(checked(config).channels, config.patch_size, config.width),
      pos_drop(config.dropout),
      norm(config.width, {.eps = norm_eps}),
      head(config.width, config.classes),
      config_(config) {
  const std::int64_t side = config.image_size / config.patch_size;
  cls_token = Tensor::empty({1, 1, config.width});
  pos_embed = Tensor::empty({1, prefix_tokens() + side * side, config.width});
  add_parameter("cls_token", cls_token);
  if (config.distilled) {
    dist_token = Tensor::empty({1, 1, config.width});
    add_parameter("dist_token", dist_token);
  }
  add_parameter("pos_embed", pos_embed);
  add("patch_embed", patch_embed);
  add("pos_drop", pos_drop);
  for (std::int64_t i = 0; i < config.depth; ++i) blocks.emplace(encoder_block(config, i, norm_eps));
  add("blocks", blocks);
  add("norm", norm);
  add("head", head);
  if (config.distilled) add("head_dist", head_dist.emplace(config.width, config.classes));
  initialize();
}

void VisionTransformer::initialize() {
  nn::init::trunc_normal_(cls_token, 0, init_std);
  nn::init::trunc_normal_(pos_embed, 0, init_std);
  if (dist_token.defined()) nn::init::trunc_normal_(dist_token, 0, init_std);
  init_linears(*this, init_std);
}

Tensor VisionTransformer::forward(const Tensor& images) {
  const VisionLogits both = logits(images);
  return both.head_dist.defined() ? (both.head + both.head_dist) / 2 : both.head;
}

VisionLogits VisionTransformer::logits(const Tensor& images) {
  const std::int64_t size = config_.image_size;
  check(images.rank() == 4 && images.shape() == Shape{images.shape()[0], config_.channels, size, size}, op,
        "images must be (B, {}, {}, {}); their shape is {}", config_.channels, size, size, images.shape().str());
  const Shape token{images.size(0), 1, config_.width};
  std::vector<Tensor> tokens{broadcast_to(cls_token, token)};
  if (head_dist) tokens.push_back(broadcast_to(dist_token, token));
  tokens.push_back(patch_embed(images));
  Tensor x = pos_drop(concatenate(tokens, 1) + pos_embed);  // (B, tokens, width)
  for (const auto& block : blocks) x = (*block)(x);
  // Tokens are normalised one by one: the patches' would be for nothing.
  VisionLogits logits{head(norm(select(x, 1, 0))), {}};
  if (head_dist) logits.head_dist = (*head_dist)(norm(select(x, 1, 1)));
  return logits;
}

Tensor interpolate_positions(const Tensor& positions, std::int64_t side) {
  const std::int64_t patches = positions.rank() == 3 ? positions.size(1) : 0;
  const std::int64_t n = std::llround(std::sqrt(static_cast<double>(patches)));
  check(positions.rank() == 3 && n >= 1 && n * n == patches && side >= 1, "interpolate_positions",
        "positions must be (1, n^2, width), for a grid of at least 1; their shape is {}, the grid's side {}",
        positions.shape().str(), side);
  const Tensor grid = reshape(transpose(positions, 1, 2), {positions.size(0), positions.size(2), n, n});
  const Tensor resized = interpolate(grid, {.size = {side, side}, .mode = ff::Interpolation::cubic});
  return transpose(flatten(resized, 2), 1, 2);
}

}  // namespace ff::models
