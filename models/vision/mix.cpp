#include "ff/models/vision/mix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ff::models {
namespace {

// A number of Beta(alpha, alpha) from two uniform ones: Student's t of 2 alpha degrees of freedom by Bailey's method,
// transformed (Devroye, "Random variate generation in one line of code", 1996).
double symmetric_beta(double alpha, double u, double v) {
  const double radius = std::sqrt(std::pow(1 - u, -1 / alpha) - 1), t = radius * std::cos(2 * std::numbers::pi * v);
  return std::isfinite(t) ? 0.5 + 0.5 * t / std::hypot(1, t) : std::signbit(t) ? 0 : 1;
}

void mix_pixels(float own, float* a, float* b, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float x = a[i], y = b[i];
    a[i] = own * x + (1 - own) * y;
    b[i] = own * y + (1 - own) * x;
  }
}

}  // namespace

void MixConfig::visit(Fields& f) {
  f.number("mixup", mixup, {.min = 0, .max = 100},
           "mixes two images of a training batch, and their labels, by a share of Beta(mixup, mixup); 0: never");
  f.number("cutmix", cutmix, {.min = 0, .max = 100},
           "puts a piece of another image into each of a training batch, its area of Beta(cutmix, cutmix); 0: never");
  f.number("mix_probability", mix_probability, {.min = 0, .max = 1}, "probability of a batch to be mixed");
  f.number("cutmix_probability", cutmix_probability, {.min = 0, .max = 1},
           "probability of cutmix, not mixup, for a batch that is mixed, where both are asked for");
}

Mix draw_mix(const MixConfig& config, std::int64_t height, std::int64_t width, RandomKey key) {
  std::array<double, 2 * mix_counters> random{};  // two words each
  fill_uniform(random.data(), static_cast<std::int64_t>(random.size()), key);
  const auto [whether, which, u, v, down, across, unused, unused_too] = random;
  Mix mix;
  if (!config.any() || whether >= config.mix_probability) return mix;
  mix.cut = which < config.chance_of_cutmix();
  mix.own = symmetric_beta(mix.cut ? config.cutmix : config.mixup, u, v);
  if (!mix.cut) return mix;
  const double side = std::sqrt(1 - mix.own);
  const auto span = [side](std::int64_t length, double place, std::int64_t& begin, std::int64_t& end) {
    const auto half = static_cast<std::int64_t>(static_cast<double>(length) * side) / 2;
    const auto centre = static_cast<std::int64_t>(place * static_cast<double>(length));
    begin = std::max<std::int64_t>(centre - half, 0);
    end = std::min(centre + half, length);
  };
  span(height, down, mix.top, mix.bottom);
  span(width, across, mix.left, mix.right);
  const std::int64_t area = (mix.bottom - mix.top) * (mix.right - mix.left);
  mix.own = 1 - static_cast<double>(area) / static_cast<double>(height * width);
  return mix;
}

void mix_batch(const Mix& mix, std::int64_t classes, Batch& batch) {
  const std::int64_t n = batch.inputs.size(0), planes = batch.inputs.size(1), height = batch.inputs.size(2),
                     width = batch.inputs.size(3), image = planes * height * width;
  auto* pixels = batch.inputs.data<float>();
  for (std::int64_t i = 0; i < n / 2 && mix.own < 1; ++i) {
    float *a = pixels + i * image, *b = pixels + (n - 1 - i) * image;
    if (!mix.cut) mix_pixels(static_cast<float>(mix.own), a, b, image);
    for (std::int64_t row = 0; mix.cut && row < planes * height; ++row)
      if (row % height >= mix.top && row % height < mix.bottom)
        std::swap_ranges(a + row * width + mix.left, a + row * width + mix.right, b + row * width + mix.left);
  }
  const Tensor labels = batch.targets;
  batch.targets = Tensor::empty({n, classes});
  const auto* label = labels.data<std::int64_t>();
  auto* row = batch.targets.data<float>();
  for (std::int64_t i = 0; i < n; ++i, row += classes) {
    std::fill(row, row + classes, 0.0F);
    row[label[i]] += static_cast<float>(mix.own);
    row[label[n - 1 - i]] += static_cast<float>(1 - mix.own);
  }
}

}  // namespace ff::models
