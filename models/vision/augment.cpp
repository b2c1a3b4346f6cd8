#include "ff/models/vision/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ff/core/check.h"
#include "ff/models/vision/color.h"
#include "ff/models/vision/geometry.h"

namespace ff::models {
namespace {

std::int64_t rounded(double x) { return static_cast<std::int64_t>(std::nearbyint(x)); }  // halves to the even number

// Sides of a rectangle: a share of area drawn from scale, a / b = a ratio drawn uniform in its logarithm.
struct Sides {
  std::int64_t a, b;
};

Sides random_sides(double area, std::array<double, 2> scale, std::array<double, 2> ratio, RandomDraws& draws) {
  const double part = area * draws.uniform(scale[0], scale[1]);
  const double drawn = std::exp(draws.uniform(std::log(ratio[0]), std::log(ratio[1])));
  return {rounded(std::sqrt(part * drawn)), rounded(std::sqrt(part / drawn))};
}

}  // namespace

Box random_resized_box(std::int64_t height, std::int64_t width, std::array<double, 2> scale,
                       std::array<double, 2> ratio, RandomDraws& draws) {
  check(height >= 1 && width >= 1, "random_resized_box", "the image is empty");
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Sides sides = random_sides(h * w, scale, ratio, draws);
    const std::int64_t box_width = sides.a, box_height = sides.b;
    if (box_width > 0 && box_width <= width && box_height > 0 && box_height <= height) {
      const std::int64_t top = draws.below(height - box_height + 1);
      return {top, draws.below(width - box_width + 1), box_height, box_width};
    }
  }
  Box box{0, 0, height, width};
  if (w / h < ratio[0])
    box.height = std::clamp<std::int64_t>(rounded(w / ratio[0]), 1, height);
  else if (w / h > ratio[1])
    box.width = std::clamp<std::int64_t>(rounded(h * ratio[1]), 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

Box random_padded_box(const Image& image, std::int64_t size, std::int64_t padding, RandomDraws& draws) {
  const std::int64_t rows = image.height + 2 * padding - size + 1, columns = image.width + 2 * padding - size + 1;
  check(rows >= 1 && columns >= 1, "random_padded_box", "{} x {} pixels do not fit an image of {} x {} padded by {}",
        size, size, image.width, image.height, padding);
  const std::int64_t top = draws.below(rows) - padding;
  return {top, draws.below(columns) - padding, size, size};
}

void color_jitter(Image& image, const std::array<double, 4>& strengths, RandomDraws& draws) {
  constexpr void (*adjust[])(Image&, double) = {adjust_brightness, adjust_contrast, adjust_saturation};
  std::array<std::size_t, 4> order{0, 1, 2, 3};
  for (std::size_t i = 3; i > 0; --i)  // Fisher and Yates
    std::swap(order[i], order[static_cast<std::size_t>(draws.below(static_cast<std::int64_t>(i) + 1))]);
  for (const std::size_t i : order) {
    if (strengths[i] == 0) continue;
    if (i == 3)
      adjust_hue(image, draws.uniform(-strengths[i], strengths[i]));
    else
      adjust[i](image, draws.uniform(std::max(0.0, 1 - strengths[i]), 1 + strengths[i]));
  }
}

void random_erasing(float* x, std::int64_t channels, std::int64_t height, std::int64_t width, double probability,
                    RandomDraws& draws) {
  if (!draws.chance(probability)) return;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const Sides sides = random_sides(static_cast<double>(height * width), {0.02, 1.0 / 3}, {0.3, 1 / 0.3}, draws);
    const std::int64_t h = sides.a, w = sides.b;
    if (h >= height || w >= width) continue;
    const std::int64_t top = draws.below(height - h + 1), left = draws.below(width - w + 1);
    std::vector<float> noise(static_cast<std::size_t>(channels * h * w));
    draws.normal(noise.data(), channels * h * w);
    const float* from = noise.data();
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t y = 0; y < h; ++y, from += w) std::copy_n(from, w, x + (c * height + top + y) * width + left);
    return;
  }
}

}  // namespace ff::models
