#include "ff/models/time_series/model.h"

#include <cmath>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/nn/init.h"

namespace ff::models {
namespace {

constexpr const char* op = "TimeSeriesTransformer";
constexpr double norm_eps = 1e-6, init_std = 0.02;

TimeSeriesModelConfig checked(const TimeSeriesModelConfig& config) {
  check(config.stride >= 1 && config.stride <= config.patch_size, op,
        "tokens of {} steps must be 1 to {} steps apart, not {}", config.patch_size, config.patch_size, config.stride);
  check(config.length >= 1 && config.depth >= 1, op, "at least a step and a block are needed: {} and {}", config.length,
        config.depth);
  return config;
}

}  // namespace

TimeSeriesTransformer::TimeSeriesTransformer(const TimeSeriesModelConfig& config)
    : data_mean(Tensor::empty({config.dimensions})),
      data_std(Tensor::empty({config.dimensions})),
      patch_embed(checked(config).dimensions, config.width, config.patch_size, {.stride = config.stride}),
      pos_drop(config.dropout),
      norm(config.width, {.eps = norm_eps}),
      head(config.width, config.classes),
      config_(config) {
  nn::init::zeros_(data_mean);
  nn::init::ones_(data_std);
  pos_embed = Tensor::empty({1, tokens(config.length), config.width});
  add_buffer("data_mean", data_mean);
  add_buffer("data_std", data_std);
  add("patch_embed", patch_embed);
  add_parameter("pos_embed", pos_embed);
  add("pos_drop", pos_drop);
  for (std::int64_t i = 0; i < config.depth; ++i) blocks.emplace(encoder_block(config, i, norm_eps));
  add("blocks", blocks);
  add("norm", norm);
  add("head", head);
  nn::init::trunc_normal_(pos_embed, 0, init_std);
  init_linears(*this, init_std);
}

std::int64_t TimeSeriesTransformer::tokens(std::int64_t steps) const {
  const std::int64_t after_first = std::max<std::int64_t>(steps - config_.patch_size, 0);
  return 1 + (after_first + config_.stride - 1) / config_.stride;
}

// Whether a token has a step of its own that is there: (B, dimensions, padded steps) to (B, tokens). The first patch
// has all of its steps for its own, each further one the last `stride`.
Tensor TimeSeriesTransformer::present_tokens(const Tensor& missing) const {
  const Tensor present = logical_not(all(missing, {1}));  // (B, padded steps)
  const std::int64_t patch = config_.patch_size, further = (present.size(1) - patch) / config_.stride;
  const Tensor first = any(narrow(present, 1, 0, patch), {1}, true);
  if (further == 0) return first;
  const Tensor rest = reshape(narrow(present, 1, patch, further * config_.stride), {-1, further, config_.stride});
  return concatenate({first, any(rest, {2})}, 1);
}

Tensor TimeSeriesTransformer::forward(const Tensor& series) {
  check(series.rank() == 3 && series.size(1) == config_.dimensions && series.size(2) >= 1 &&
            series.size(2) <= config_.length,
        op, "series must be (B, {}, up to {}); their shape is {}", config_.dimensions, config_.length,
        series.shape().str());
  const std::int64_t batch = series.size(0), steps = series.size(2), count = tokens(steps);
  const std::int64_t padded = config_.patch_size + (count - 1) * config_.stride;
  const Tensor given = pad(series, {0, padded - steps}, PadMode::constant, std::nan(""));  // whole patches

  const Tensor missing = isnan(given), mean = unsqueeze(data_mean, 1), std = unsqueeze(data_std, 1);
  const Tensor values = (where(missing, mean, given) - mean) / std;
  const Tensor present = present_tokens(missing);

  const Tensor embedded = transpose(patch_embed(values), 1, 2);  // (B, tokens, width)
  Tensor x = pos_drop(embedded + narrow(pos_embed, 1, 0, count));
  const nn::AttentionInputs visible{.mask = reshape(present, {batch, 1, 1, count})};
  for (const auto& block : blocks) x = (*block)(x, visible);

  const Tensor counted = cast(unsqueeze(present, 2), x.dtype());  // (B, tokens, 1)
  return head(sum(norm(x) * counted, {1}) / clamp_min(sum(counted, {1}), 1.0));
}

}  // namespace ff::models
