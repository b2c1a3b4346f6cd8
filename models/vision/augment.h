#pragma once

#include <array>

#include "ff/models/data_random.h"
#include "ff/models/vision/resize.h"

namespace ff::models {

/// Part of an image, of a share of its area drawn from scale and a ratio of width to height drawn from ratio (uniform
/// in its logarithm): torchvision's RandomResizedCrop. After ten draws that do not fit, the middle, as much of it as
/// the ratios allow.
Box random_resized_box(std::int64_t height, std::int64_t width, std::array<double, 2> scale,
                       std::array<double, 2> ratio, RandomDraws& draws);

/// A place for size x size pixels in the image with a margin of padding around it.
Box random_padded_box(const Image& image, std::int64_t size, std::int64_t padding, RandomDraws& draws);

/// torchvision's ColorJitter: in random order, brightness, contrast and saturation by factors from 1 - s to 1 + s, s
/// the first three numbers, and the hue turned by up to the fourth. Those of 0 are left out.
void color_jitter(Image& image, const std::array<double, 4>& strengths, RandomDraws& draws);

/// With that probability, puts standard normal noise in place of a rectangle of x, f32 (channels, height, width):
/// timm's RandomErasing in the mode "pixel". Its area is 0.02 to 1/3 of the image's, its ratio of height to width 0.3
/// to 1/0.3; after ten draws that do not fit, nothing.
void random_erasing(float* x, std::int64_t channels, std::int64_t height, std::int64_t width, double probability,
                    RandomDraws& draws);

}  // namespace ff::models
