#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ff/core/io/image.h"

/// The formats behind decode_image(). Each gives 1 channel for an image that is grey and if that is asked for, else 3.
namespace ff::io {

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels);
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels);

/// Throws Error unless an image is of at least 1 pixel and at most most_image_pixels, and its bytes may hold it:
/// format says that one byte holds no more than so many pixels.
void check_image_size(std::uint64_t width, std::uint64_t height, double pixels_per_byte, std::size_t bytes,
                      const std::string& name);

}  // namespace ff::io
