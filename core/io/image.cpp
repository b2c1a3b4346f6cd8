#include "ff/core/io/image.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/core/io/image_codecs.h"

namespace ff {
namespace {

constexpr const char* op = "image";
constexpr std::uint64_t largest_file = std::uint64_t{1} << 30;

bool begins_with(std::span<const std::uint8_t> bytes, std::initializer_list<std::uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

std::string first_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return "it is empty";
  const auto first = bytes.first(std::min<std::size_t>(bytes.size(), 4));
  return fmt::format("it begins with {:02x}", fmt::join(first, " "));
}

std::uint8_t luma(const std::uint8_t* rgb) {  // weights of 16 bits, which add up to 1
  return static_cast<std::uint8_t>((19595 * rgb[0] + 38470 * rgb[1] + 7471 * rgb[2] + 0x8000) >> 16);
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t channels) {
  check(channels == 1 || channels == 3, op, "{}: an image has 1 or 3 channels, {} were asked for", name, channels);
  Image image;
  if (begins_with(bytes, {0xff, 0xd8, 0xff}))
    image = io::decode_jpeg(bytes, name, channels);
  else if (begins_with(bytes, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}))
    image = io::decode_png(bytes, name, channels);
  else
    fail(op, "{}: neither a JPEG nor a PNG: {}", name, first_bytes(bytes));
  return image.channels == channels ? std::move(image) : with_channels(image, channels);
}

Image read_image(const std::string& path, std::int64_t channels) {
  io::InputFile file(path, op, io::InputFile::Format::plain);
  check(file.disk_size() <= largest_file, op, "{}: {} bytes, an image may have at most {}", path, file.disk_size(),
        largest_file);
  Pixels bytes(file.disk_size());
  file.read(bytes.data(), bytes.size(), "the image");
  return decode_image(bytes, path, channels);
}

Image with_channels(const Image& image, std::int64_t channels) {
  check((image.channels == 1 || image.channels == 3) && (channels == 1 || channels == 3), op,
        "an image has 1 or 3 channels, got {}, and {} were asked for", image.channels, channels);
  if (image.channels == channels) return image;
  Image out = Image::black(image.height, image.width, channels);
  const std::uint8_t* from = image.pixels.data();
  std::uint8_t* to = out.pixels.data();
  for (std::int64_t i = 0; i < image.height * image.width; ++i, from += image.channels, to += channels)
    if (channels == 1)
      *to = luma(from);
    else
      to[0] = to[1] = to[2] = *from;
  return out;
}

void io::check_image_size(std::uint64_t width, std::uint64_t height, double pixels_per_byte, std::size_t bytes,
                          const std::string& name) {
  check(width > 0 && height > 0 && width <= most_image_pixels / height, op,
        "{}: {} x {} pixels, an image may have 1 to {}", name, width, height, most_image_pixels);
  check(static_cast<double>(width * height) <= pixels_per_byte * static_cast<double>(bytes), op,
        "{}: truncated: {} bytes cannot hold {} x {} pixels", name, bytes, width, height);
}

}  // namespace ff
