#pragma once

#include "ff/core/io/image.h"

namespace ff::models {

enum class Interpolation { nearest, bilinear, bicubic };

/// A rectangle of pixels.
struct Box {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
};

/// The image at another size, to the byte what Pillow's Image.resize() gives: where it shrinks, bilinear and bicubic
/// (a = -0.5) are widened by the ratio, so that nothing is skipped (antialiasing). Throws Error for a size below 1 or
/// of more than most_image_pixels, or an empty image.
Image resize(const Image& image, std::int64_t height, std::int64_t width, Interpolation interpolation);

/// The same of what is in box, as if it had been cut out before. Throws Error where it is not within the image.
Image resize(const Image& image, const Box& box, std::int64_t height, std::int64_t width, Interpolation interpolation);

/// The part `window` of resize(image, height, width, interpolation), and only that: the other pixels are not computed.
/// Throws Error where it is not within that size, which may be of any number of pixels.
Image resize_window(const Image& image, std::int64_t height, std::int64_t width, const Box& window,
                    Interpolation interpolation);

}  // namespace ff::models
