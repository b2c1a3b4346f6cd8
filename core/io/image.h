#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ff/core/allocator.h"

namespace ff {

/// Bytes of an image, in memory that is kept for the next one: fresh pages would cost half as much as decoding does.
using Pixels = std::vector<std::uint8_t, CachingAllocator<std::uint8_t>>;

/// An image in memory: rows from the top, the channels of a pixel side by side; 1 channel is grey, 3 are red, green and
/// blue.
struct Image {
  std::int64_t height = 0, width = 0, channels = 0;
  Pixels pixels;  ///< (height, width, channels)

  /// A black one.
  static Image black(std::int64_t height, std::int64_t width, std::int64_t channels) {
    return {height, width, channels, Pixels(static_cast<std::size_t>(height * width * channels))};
  }
  std::int64_t row_bytes() const { return width * channels; }
  std::uint8_t* row(std::int64_t y) { return pixels.data() + y * row_bytes(); }
  const std::uint8_t* row(std::int64_t y) const { return pixels.data() + y * row_bytes(); }
};

/// Images of more pixels than this are refused.
inline constexpr std::int64_t most_image_pixels = std::int64_t{1} << 27;

/// Decodes a JPEG or a PNG, told apart by their first bytes, to 1 or 3 channels; name is what errors call it. The
/// pixels are those of Pillow's Image.open(..).convert("L" or "RGB"), but that 16 bits of grey keep their upper 8: CMYK
/// is taken for Adobe's (inverted), alpha and gamma are ignored, as is an orientation. Throws Error("[image] NAME: ..")
/// where the bytes are something else, damaged or cut off, stand for more than most_image_pixels, or for more than so
/// many bytes can hold.
Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels = 3);

/// decode_image() of a file.
Image read_image(const std::string& path, std::int64_t channels = 3);

/// Writes an image of 1 or 3 channels as PNG, atomically.
void write_png(const std::string& path, const Image& image);

/// The image in 1 or 3 channels: grey is 0.299 red + 0.587 green + 0.114 blue, rounded as Pillow does (ITU-R 601).
Image with_channels(const Image& image, std::int64_t channels);

}  // namespace ff
