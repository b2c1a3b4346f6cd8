#include "tools/picture.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <png.h>

#include "ff/autograd/ops/ops.h"

namespace ff::tools {
namespace {

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t given = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < given ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= given ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::uint8_t byte_of(double value) { return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))); }

// Viridis at tenths of its way.
constexpr std::array<std::array<std::uint8_t, 3>, 11> viridis{{{68, 1, 84},
                                                               {72, 36, 117},
                                                               {65, 68, 135},
                                                               {53, 95, 141},
                                                               {42, 120, 142},
                                                               {33, 145, 140},
                                                               {34, 168, 132},
                                                               {68, 191, 112},
                                                               {122, 209, 81},
                                                               {189, 223, 38},
                                                               {253, 231, 37}}};

}  // namespace

std::string png_uri(const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(pixels.height);
  image.width = static_cast<png_uint_32>(pixels.width);
  image.format = pixels.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> png(size);
  if (png_image_write_to_memory(&image, png.data(), &size, 0, pixels.bytes.data(), 0, nullptr) == 0)
    throw std::runtime_error(std::string("a picture cannot be made: ") + image.message);
  return "data:image/png;base64," + base64(std::span(png).first(size));
}

Pixels image_pixels(const Tensor& image, std::span<const double> mean, std::span<const double> std) {
  const std::int64_t channels = image.size(0) == 3 ? 3 : 1, height = image.size(1), width = image.size(2);
  const std::vector<double> values = image.to_vector<double>();
  Pixels pixels{height, width, channels, {}};
  for (std::int64_t at = 0; at < height * width; ++at)
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto k = static_cast<std::size_t>(c);
      const double value = values[static_cast<std::size_t>(c * height * width + at)];
      pixels.bytes.push_back(byte_of(255 * (value * std[k % std.size()] + mean[k % mean.size()])));
    }
  return pixels;
}

std::string shown_image(const models::RunConfig& config, const Tensor& input) {
  if (config.task != models::Task::vision) return "";
  return png_uri(
      image_pixels(select(input, 0, 0), config.vision.data.transform.mean, config.vision.data.transform.std));
}

Pixels heat_pixels(const Tensor& values, std::int64_t most) {
  const std::int64_t rows = values.size(0), columns = values.size(1);
  Pixels pixels{std::min(rows, most), std::min(columns, most), 3, {}};
  const std::vector<double> all = values.to_vector<double>();
  std::vector<double> means;
  for (std::int64_t y = 0; y < pixels.height; ++y)
    for (std::int64_t x = 0; x < pixels.width; ++x) {
      const std::int64_t top = y * rows / pixels.height, bottom = (y + 1) * rows / pixels.height;
      const std::int64_t left = x * columns / pixels.width, right = (x + 1) * columns / pixels.width;
      double sum = 0;
      for (std::int64_t i = top; i < bottom; ++i)
        for (std::int64_t j = left; j < right; ++j) sum += all[static_cast<std::size_t>(i * columns + j)];
      means.push_back(sum / static_cast<double>((bottom - top) * (right - left)));
    }
  const double largest = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
  for (const double value : means) {
    const double at = value > 0 && value <= largest ? 10 * std::sqrt(value / largest) : 0;  // not of NaN
    const auto below = std::min<std::size_t>(static_cast<std::size_t>(at), 9);
    const double share = at - static_cast<double>(below);
    for (std::size_t c = 0; c < 3; ++c)
      pixels.bytes.push_back(byte_of((1 - share) * viridis[below][c] + share * viridis[below + 1][c]));
  }
  return pixels;
}

}  // namespace ff::tools
