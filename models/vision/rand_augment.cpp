#include "ff/models/vision/rand_augment.h"

#include <algorithm>

#include "ff/models/vision/color.h"
#include "ff/models/vision/geometry.h"

namespace ff::models {
namespace {

// What an op is done with.
struct Severity {
  double level;  // 0 to 1
  RandomDraws& draws;

  // Either way with the same probability.
  double either(double most) const { return draws.chance(0.5) ? -level * most : level * most; }
  // A factor of ImageEnhance.
  double factor() const { return std::max(0.1, 1 + either(0.9)); }
  int steps(int n) const { return static_cast<int>(level * n); }
};

class Augmenter {
 public:
  Augmenter(Image& image, Interpolation interpolation, const std::vector<std::uint8_t>& fill)
      : image_(image), interpolation_(interpolation), fill_(fill) {}

  static constexpr std::int64_t ops = 15;

  // Does one of the ops.
  void apply(std::int64_t op, const Severity& severity) {
    switch (op) {
      case 0:
        return auto_contrast(image_);
      case 1:
        return equalize(image_);
      case 2:
        return invert(image_);
      case 3:
        image_ = rotate(image_, severity.either(30), interpolation_, fill_);
        return;
      case 4:
        return posterize(image_, 4 - severity.steps(4));
      case 5:
        return solarize(image_, 256 - severity.steps(256));
      case 6:
        return solarize_add(image_, severity.steps(110));
      case 7:
        return adjust_saturation(image_, severity.factor());
      case 8:
        return adjust_contrast(image_, severity.factor());
      case 9:
        return adjust_brightness(image_, severity.factor());
      case 10:
        return adjust_sharpness(image_, severity.factor());
      case 11:
        return transform({1, severity.either(0.3), 0, 0, 1, 0});
      case 12:
        return transform({1, 0, 0, severity.either(0.3), 1, 0});
      case 13:
        return transform({1, 0, severity.either(0.45) * static_cast<double>(image_.width), 0, 1, 0});
      default:
        return transform({1, 0, 0, 0, 1, severity.either(0.45) * static_cast<double>(image_.height)});
    }
  }

 private:
  void transform(const std::array<double, 6>& m) { image_ = affine(image_, m, interpolation_, fill_); }

  Image& image_;
  Interpolation interpolation_;
  const std::vector<std::uint8_t>& fill_;
};

}  // namespace

void rand_augment(Image& image, const RandAugment& settings, Interpolation interpolation,
                  const std::vector<std::uint8_t>& fill, RandomDraws& draws) {
  Augmenter augmenter(image, interpolation, fill);
  for (std::int64_t i = 0; i < settings.ops; ++i) {
    const std::int64_t op = draws.below(Augmenter::ops);
    if (!draws.chance(0.5)) continue;
    const double magnitude = std::clamp(settings.magnitude + settings.std * draws.normal(), 0.0, 10.0);
    augmenter.apply(op, {magnitude / 10, draws});
  }
}

}  // namespace ff::models
