#include "ff/models/vision/transform.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "ff/core/check.h"
#include "ff/models/vision/augment.h"
#include "ff/models/vision/geometry.h"

namespace ff::models {
namespace {

constexpr const char* op = "image_transform";

std::array<double, 2> pair(const std::vector<double>& values) { return {values.at(0), values.at(1)}; }

}  // namespace

void ImageTransform::visit(Fields& f) {
  f.numbers("mean", mean, {.min = 0, .max = 1}, 1, 16,
            "mean of a channel, of values from 0 to 1: one, or one a channel");
  f.numbers("std", std, {.above = 0}, 1, 16, "standard deviation of a channel");
  f.choice<Interpolation>(
      "interpolation", interpolation,
      {{"nearest", Interpolation::nearest}, {"bilinear", Interpolation::bilinear}, {"bicubic", Interpolation::bicubic}},
      "how images are resized and turned");
  f.integer("eval_resize", eval_resize, {.min = 0, .max = 1 << 14},
            "shorter side that images are resized to before their middle is cut out; 0: the model's image_size");
  f.flag("random_resized_crop", random_resized_crop,
         "whether training images are random parts of the images, resized to image_size");
  f.numbers("crop_scale", crop_scale, {.max = 1, .above = 0}, 2, 2, "least and most share of the area that is taken");
  f.numbers("crop_ratio", crop_ratio, {.above = 0}, 2, 2, "least and most ratio of width to height of such a part");
  f.integer("crop_padding", crop_padding, {.min = 0, .max = 1024},
            "black pixels put around a training image before it is cut back to its size at random");
  f.flag("horizontal_flip", horizontal_flip, "whether training images are mirrored half of the time");
  f.integer("rand_augment", rand_augment.ops, {.min = 0, .max = 15},
            "RandAugment: ops drawn for a training image, each done with probability 1/2; 0: none");
  f.number("rand_augment_magnitude", rand_augment.magnitude, {.min = 0, .max = 10}, "their severity");
  f.number("rand_augment_std", rand_augment.std, {.min = 0}, "standard deviation of the severity");
  f.numbers("color_jitter", color_jitter, {.min = 0}, 4, 4,
            "how far brightness, contrast, saturation and hue of training images are changed at random");
  f.number("random_erasing", random_erasing, {.min = 0, .max = 1},
           "probability that noise covers a rectangle of a training image");

  f.require(crop_scale.at(0) <= crop_scale.at(1), "crop_scale", "the least comes before the most");
  f.require(crop_ratio.at(0) <= crop_ratio.at(1), "crop_ratio", "the least comes before the most");
  f.require(!random_resized_crop || crop_padding == 0, "crop_padding", "images of random_resized_crop have no padding");
  f.require(color_jitter.at(3) <= 0.5, "color_jitter", "the hue is turned by at most 0.5");
}

ImagePreparer::ImagePreparer(const ImageTransform& settings, Mode mode, std::int64_t channels, std::int64_t image_size)
    : settings_(settings), mode_(mode), channels_(channels), size_(image_size) {
  check(channels == 1 || channels == 3, op, "an image has 1 or 3 channels, {} were asked for", channels);
  check(image_size >= 1, op, "an image of {} pixels", image_size);
  check(settings.eval_resize == 0 || settings.eval_resize >= image_size, op,
        "eval_resize is {}, below the model's image_size of {}", settings.eval_resize, image_size);
  auto of_channel = [&](const std::vector<double>& values, std::int64_t c, const char* what) {
    check(values.size() == 1 || static_cast<std::int64_t>(values.size()) == channels, op,
          "{} numbers of {} for {} channels", values.size(), what, channels);
    return values[values.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  };
  for (std::int64_t c = 0; c < channels; ++c) {
    const double mean = of_channel(settings.mean, c, "mean"), deviation = of_channel(settings.std, c, "std");
    for (int byte = 0; byte < 256; ++byte) normalized_.push_back(static_cast<float>((byte / 255.0 - mean) / deviation));
    fill_.push_back(static_cast<std::uint8_t>(std::clamp(std::nearbyint(255 * mean), 0.0, 255.0)));
  }
}

void ImagePreparer::prepare(const Image& image, RandomKey key, float* out) const {
  check(image.channels == channels_, op, "an image of {} channels for a model of {}", image.channels, channels_);
  RandomDraws draws(key);
  Image framed = frame(image, draws);
  if (mode_ == Mode::training) augment(framed, draws);
  normalize(framed, out);
  if (mode_ == Mode::training && settings_.random_erasing > 0)
    random_erasing(out, channels_, size_, size_, settings_.random_erasing, draws);
}

Image ImagePreparer::frame(const Image& image, RandomDraws& draws) const {
  if (mode_ == Mode::training && settings_.random_resized_crop) {
    const Box box =
        random_resized_box(image.height, image.width, pair(settings_.crop_scale), pair(settings_.crop_ratio), draws);
    return resize(image, box, size_, size_, settings_.interpolation);
  }
  const std::int64_t side = settings_.eval_resize == 0 ? size_ : settings_.eval_resize;
  const std::int64_t shorter = std::min(image.height, image.width);
  check(shorter >= 1, op, "the image is empty");
  auto scaled = [&](std::int64_t n) { return n == shorter ? side : side * n / shorter; };
  const std::int64_t height = scaled(image.height), width = scaled(image.width);
  Image middle = resize_window(image, height, width, center_box(height, width, size_, size_), settings_.interpolation);
  if (mode_ == Mode::evaluation || settings_.crop_padding == 0) return middle;
  return crop(middle, random_padded_box(middle, size_, settings_.crop_padding, draws));
}

void ImagePreparer::augment(Image& image, RandomDraws& draws) const {
  if (settings_.horizontal_flip && draws.chance(0.5)) flip_horizontal(image);
  rand_augment(image, settings_.rand_augment, settings_.interpolation, fill_, draws);
  const auto& jitter = settings_.color_jitter;
  color_jitter(image, {jitter.at(0), jitter.at(1), jitter.at(2), jitter.at(3)}, draws);
}

void ImagePreparer::normalize(const Image& image, float* out) const {
  const auto channels = static_cast<std::size_t>(channels_);
  for (std::size_t c = 0; c < channels; ++c) {
    const float* table = normalized_.data() + 256 * c;
    for (std::size_t i = c; i < image.pixels.size(); i += channels) *out++ = table[image.pixels[i]];
  }
}

}  // namespace ff::models
