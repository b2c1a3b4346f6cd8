#include "ff/models/vision/rand_augment.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "ff/models/vision/color.h"
#include "ff/models/vision/geometry.h"

namespace ff::models {
namespace {

// What an op is done to, and with.
struct Work {
  Image& image;
  Interpolation interpolation;
  const std::vector<std::uint8_t>& fill;
  RandomDraws& draws;
  double level = 0;  // severity, 0 to 1

  // A share of most, either way with the same probability.
  double either(double most) const { return draws.chance(0.5) ? -level * most : level * most; }
  // A factor of the changes of colour.
  double factor() const { return std::max(0.1, 1 + either(0.9)); }
  int steps(int most) const { return static_cast<int>(level * most); }
  void transform(const std::array<double, 6>& m) { image = affine(image, m, interpolation, fill); }
};

constexpr void (*ops[])(Work&) = {
    [](Work& w) { auto_contrast(w.image); },
    [](Work& w) { equalize(w.image); },
    [](Work& w) { invert(w.image); },
    [](Work& w) { w.image = rotate(w.image, w.either(30), w.interpolation, w.fill); },
    [](Work& w) { posterize(w.image, 4 - w.steps(4)); },
    [](Work& w) { solarize(w.image, 256 - w.steps(256)); },
    [](Work& w) { solarize_add(w.image, w.steps(110)); },
    [](Work& w) { adjust_saturation(w.image, w.factor()); },
    [](Work& w) { adjust_contrast(w.image, w.factor()); },
    [](Work& w) { adjust_brightness(w.image, w.factor()); },
    [](Work& w) { adjust_sharpness(w.image, w.factor()); },
    [](Work& w) {
      w.transform({1, w.either(0.3), 0, 0, 1, 0});
    },
    [](Work& w) {
      w.transform({1, 0, 0, w.either(0.3), 1, 0});
    },
    [](Work& w) {
      w.transform({1, 0, w.either(0.45) * static_cast<double>(w.image.width), 0, 1, 0});
    },
    [](Work& w) {
      w.transform({1, 0, 0, 0, 1, w.either(0.45) * static_cast<double>(w.image.height)});
    },
};

}  // namespace

void rand_augment(Image& image, const RandAugment& settings, Interpolation interpolation,
                  const std::vector<std::uint8_t>& fill, RandomDraws& draws) {
  Work work{image, interpolation, fill, draws};
  for (std::int64_t i = 0; i < settings.ops; ++i) {
    const auto op = static_cast<std::size_t>(draws.below(std::size(ops)));
    if (!draws.chance(0.5)) continue;
    work.level = std::clamp(settings.magnitude + settings.std * draws.normal(), 0.0, 10.0) / 10;
    ops[op](work);
  }
}

}  // namespace ff::models
