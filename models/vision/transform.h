#pragma once

#include <vector>

#include "ff/models/config.h"
#include "ff/models/data_random.h"
#include "ff/models/vision/rand_augment.h"

namespace ff::models {

/// How images become what a model takes. visit() describes its fields as part of the configuration of data.
struct ImageTransform {
  std::vector<double> mean{0.5}, std{0.5};
  Interpolation interpolation = Interpolation::bicubic;
  std::int64_t eval_resize = 0;
  // In training alone, in this order.
  bool random_resized_crop = false;
  std::vector<double> crop_scale{0.08, 1}, crop_ratio{0.75, 4.0 / 3};
  std::int64_t crop_padding = 0;
  bool horizontal_flip = false;
  RandAugment rand_augment{};
  std::vector<double> color_jitter{0, 0, 0, 0};
  double random_erasing = 0;

  void visit(Fields& fields);
};

/// Makes of an image what a model takes of it. May be used from several threads at once.
class ImagePreparer {
 public:
  enum class Mode { training, evaluation };

  /// For a model that takes square images of channels (1 or 3) and image_size. Throws Error where the settings do not
  /// fit that: a mean for another number of channels, eval_resize below image_size.
  ImagePreparer(const ImageTransform& settings, Mode mode, std::int64_t channels, std::int64_t image_size);

  /// Writes f32 (channels, image_size, image_size), (x / 255 - mean) / std of the bytes x of an image that has been,
  /// for evaluation, resized to have eval_resize pixels (0: image_size) on its shorter side and cut to its middle. In
  /// training it is, for random_resized_crop, a random part of the image resized, else the same with crop_padding black
  /// pixels around it cut back at random; then come the other augmentations. What is random depends on key alone, the
  /// stretch of this image in this epoch (item_key()).
  void prepare(const Image& image, RandomKey key, float* out) const;

 private:
  Image frame(const Image& image, RandomDraws& draws) const;
  void augment(Image& image, RandomDraws& draws) const;
  void normalize(const Image& image, float* out) const;

  ImageTransform settings_;
  Mode mode_;
  std::int64_t channels_, size_;
  std::vector<float> normalized_;   // (channels, 256): what a byte becomes
  std::vector<std::uint8_t> fill_;  // a channel's mean as a byte
};

}  // namespace ff::models
