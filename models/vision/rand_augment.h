#pragma once

#include <vector>

#include "ff/models/data_random.h"
#include "ff/models/vision/resize.h"

namespace ff::models {

/// RandAugment (Cubuk et al., NeurIPS 2020 workshops) as DeiT is trained with it, timm's "rand-m9-mstd0.5-inc1".
struct RandAugment {
  std::int64_t ops = 0;  ///< drawn for an image, with replacement; 0: none
  double magnitude = 9;  ///< from 0 to 10
  double std = 0.5;      ///< of the magnitude, which is drawn anew for each op, normal and cut to 0 .. 10
};

/// Draws ops from AutoContrast, Equalize, Invert, Rotate, Posterize, Solarize, SolarizeAdd, Color, Contrast,
/// Brightness, Sharpness, ShearX, ShearY, TranslateX and TranslateY, and does each with probability 1/2. All but the
/// first three grow more severe with the magnitude. fill, a number a channel, comes in where the image is moved away.
void rand_augment(Image& image, const RandAugment& settings, Interpolation interpolation,
                  const std::vector<std::uint8_t>& fill, RandomDraws& draws);

}  // namespace ff::models
