#include "ff/models/language/model.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"
#include "ff/nn/linear.h"

namespace ff::models {
namespace {

constexpr const char* op = "LanguageModel";
constexpr double init_std = 0.02;

BlockOptions block_options(const LanguageModelConfig& config, std::int64_t index) {
  BlockOptions block{.width = config.width,
                     .heads = config.heads,
                     .hidden = config.inner_width,
                     .attention = config.attention,
                     .activation = nn::Activation::relu,
                     .norm_order = config.norm_order,
                     .drop = config.dropout,
                     .drop_path = drop_path_at(index, config.layers, config.drop_path)};
  block.attention.causal = true;
  block.attention.proj_drop = config.dropout;
  return block;
}

}  // namespace

Tensor sinusoidal_positions(std::int64_t count, std::int64_t width) {
  const std::int64_t sines = (width + 1) / 2;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count * width));
  for (std::int64_t t = 0; t < count; ++t)
    for (std::int64_t column = 0; column < width; ++column) {
      const double i = static_cast<double>(column < sines ? column : column - sines);
      const double angle = static_cast<double>(t) * std::pow(10000.0, -2 * i / static_cast<double>(width));
      values.push_back(static_cast<float>(column < sines ? std::sin(angle) : std::cos(angle)));
    }
  return Tensor::from(values, {count, width});
}

LanguageModel::LanguageModel(const LanguageModelConfig& config, std::int64_t vocabulary_size)
    : embed(vocabulary_size, config.width, {.sparse = true}), drop(config.dropout), config_(config) {
  check(config.context >= 1 && config.layers >= 1, op, "a context of {} and {} blocks; at least one of each is needed",
        config.context, config.layers);
  positions = sinusoidal_positions(config.context, config.width);
  if (config.cutoffs.empty()) {
    bias = Tensor::empty({vocabulary_size});
    add_parameter("bias", bias);
  }
  add_buffer("positions", positions, /*persistent=*/false);
  add("embed", embed);
  add("drop", drop);
  for (std::int64_t i = 0; i < config.layers; ++i) blocks.emplace(block_options(config, i));
  add("blocks", blocks);
  if (config.norm_order == NormOrder::before) {
    add("norm", norm.emplace(config.width));
  }
  if (!config.cutoffs.empty()) {
    add("crit", crit.emplace(embed.weight, config.cutoffs));
  }
  initialize();
}

void LanguageModel::initialize() {
  if (bias.defined()) nn::init::zeros_(bias);
  nn::init::normal_(embed.weight, 0, init_std);
  apply([](nn::Module& module) {
    auto* linear = dynamic_cast<nn::Linear*>(&module);
    if (linear == nullptr) return;
    nn::init::normal_(linear->weight, 0, init_std);
    if (linear->bias.defined()) nn::init::zeros_(linear->bias);
  });
}

LanguageCache LanguageModel::make_cache(std::int64_t batch) const {
  LanguageCache cache;
  for (const auto& block : blocks) cache.push_back(block->attn.make_cache(batch, config_.context));
  return cache;
}

Tensor LanguageModel::hidden(const Tensor& tokens, LanguageCache* cache) {
  check(cache == nullptr || cache->size() == static_cast<std::size_t>(config_.layers), op,
        "a cache of {} blocks for a model of {}", cache == nullptr ? 0 : cache->size(), config_.layers);
  const std::int64_t before = cache == nullptr ? 0 : cache->front().length();
  check(tokens.rank() == 2 && before + tokens.size(1) <= config_.context, op,
        "tokens must be (B, N) with N at most {}; their shape is {}", config_.context - before, tokens.shape().str());
  const double scale = std::sqrt(static_cast<double>(config_.width));
  Tensor x = drop(embed(tokens) * scale + narrow(positions, 0, before, tokens.size(1)));  // (B, N, width)
  std::size_t layer = 0;
  for (const auto& block : blocks) x = (*block)(x, {.cache = cache == nullptr ? nullptr : &(*cache)[layer++]});
  return norm ? (*norm)(x) : x;
}

Tensor LanguageModel::logits(const Tensor& hidden) const {
  return crit ? crit->log_prob(hidden) : linear(hidden, embed.weight, bias);
}

Tensor LanguageModel::loss(const Tensor& tokens, const Tensor& targets, const CrossEntropyOptions& options) {
  if (!crit) return cross_entropy(flatten((*this)(tokens), 0, 1), flatten(targets), options);
  check(options.label_smoothing == 0 && options.reduction != Loss::none && !options.weight.defined(), op,
        "an adaptive softmax has a mean or a sum of losses, without weights or label smoothing");
  return call(tokens, [&](const Tensor& x) {
    return crit->loss(hidden(x), targets,
                      {.ignore_index = options.ignore_index, .mean = options.reduction == Loss::mean});
  });
}

Tensor LanguageModel::forward(const Tensor& tokens) { return logits(hidden(tokens)); }

}  // namespace ff::models
