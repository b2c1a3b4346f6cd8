#include "ff/models/vision/mix.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

// A number of Beta(alpha, alpha): Student's t of 2 alpha degrees of freedom by Bailey's method,
// transformed (Devroye, "Random variate generation in one line of code", 1996).
double symmetric_beta(double alpha, RandomDraws& draws) {
  const double radius = std::sqrt(std::pow(1 - draws.uniform(), -1 / alpha) - 1);
  const double t = radius * std::cos(2 * std::numbers::pi * draws.uniform());
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
  RandomDraws draws(key);
  Mix mix;
  if (!config.any() || !draws.chance(config.mix_probability)) return mix;
  mix.cut = draws.chance(config.chance_of_cutmix());
  mix.own = symmetric_beta(mix.cut ? config.cutmix : config.mixup, draws);
  if (!mix.cut) return mix;
  const double side = std::sqrt(1 - mix.own);
  const auto span = [&](std::int64_t length, std::int64_t& begin, std::int64_t& end) {
    const std::int64_t half = static_cast<std::int64_t>(static_cast<double>(length) * side) / 2,
                       centre = draws.below(length);
    begin = std::max<std::int64_t>(centre - half, 0);
    end = std::min(centre + half, length);
  };
  span(height, mix.top, mix.bottom);
  span(width, mix.left, mix.right);
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
  for (std::int64_t i = 0; i < n; ++i)
    check(label[i] >= 0 && label[i] < classes, "mix_batch", "label {} is {}, but there are classes 0 to {}", i,
          label[i], classes - 1);
  for (std::int64_t i = 0; i < n; ++i, row += classes) {
    std::fill(row, row + classes, 0.0F);
    row[label[i]] += static_cast<float>(mix.own);
    row[label[n - 1 - i]] += static_cast<float>(1 - mix.own);
  }
}

}  // namespace ff::models
