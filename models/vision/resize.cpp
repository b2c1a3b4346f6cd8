#include "ff/models/vision/resize.h"

#include <algorithm>
#include <cmath>

#include "ff/core/check.h"

namespace ff::models {
namespace {

// Weights are integers in units of 2^-22, so that a sum of bytes times weights, the negative ones of bicubic included,
// fits 32 bits: Pillow's arithmetic.
constexpr int weight_bits = 22;
constexpr std::int32_t half = 1 << (weight_bits - 1);

std::uint8_t byte_of(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

double triangle(double x) { return std::max(1 - std::abs(x), 0.0); }

double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// Of each place of a line of n pixels made of one of m: which of those it is made of, and with which weights.
struct Taps {
  std::int64_t most = 0;                    // of one place
  std::vector<std::int64_t> first, counts;  // (n)
  std::vector<std::int32_t> weights;        // (n, most)
};

Taps make_taps(std::int64_t m, std::int64_t n, Interpolation interpolation) {
  const auto filter = interpolation == Interpolation::bilinear ? triangle : cubic;
  const double scale = static_cast<double>(m) / static_cast<double>(n), widening = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bilinear ? 1 : 2) * widening;
  Taps taps;
  taps.most = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(n * taps.most));
  std::vector<double> w(static_cast<std::size_t>(taps.most));
  for (std::int64_t i = 0; i < n; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const std::int64_t begin = std::max<std::int64_t>(std::lround(centre - support), 0);
    const std::int64_t end = std::min<std::int64_t>(std::lround(centre + support), m);
    double sum = 0;
    for (std::int64_t x = begin; x < end; ++x)
      sum += w[static_cast<std::size_t>(x - begin)] = filter((static_cast<double>(x) - centre + 0.5) * (1 / widening));
    for (std::int64_t x = begin; x < end; ++x) {
      const double weight = w[static_cast<std::size_t>(x - begin)] / sum * (1 << weight_bits);
      taps.weights[static_cast<std::size_t>(i * taps.most + x - begin)] = static_cast<std::int32_t>(std::round(weight));
    }
    taps.first.push_back(begin);
    taps.counts.push_back(end - begin);
  }
  return taps;
}

// out[i, c] = sum over x of weight(i, x) in[x, c]: a row of pixels of channels, at another width.
template <int channels>
void resize_row(const std::uint8_t* in, const Taps& taps, std::uint8_t* out) {
  const std::int32_t* weights = taps.weights.data();
  for (std::size_t i = 0; i < taps.first.size(); ++i, weights += taps.most, out += channels) {
    const std::uint8_t* pixel = in + taps.first[i] * channels;
    std::int32_t sums[channels];
    std::fill(sums, sums + channels, half);
    for (std::int64_t x = 0; x < taps.counts[i]; ++x, pixel += channels)
      for (int c = 0; c < channels; ++c) sums[c] += pixel[c] * weights[x];
    for (int c = 0; c < channels; ++c) out[c] = byte_of(sums[c]);
  }
}

// The box's rows at another width, as an image.
Image resize_rows(const Image& image, const Box& box, std::int64_t width, Interpolation interpolation) {
  const Taps taps = make_taps(box.width, width, interpolation);
  Image out = Image::black(box.height, width, image.channels);
  for (std::int64_t y = 0; y < box.height; ++y) {
    const std::uint8_t* in = image.row(box.top + y) + box.left * image.channels;
    image.channels == 1 ? resize_row<1>(in, taps, out.row(y)) : resize_row<3>(in, taps, out.row(y));
  }
  return out;
}

// The image at another height.
Image resize_columns(const Image& image, std::int64_t height, Interpolation interpolation) {
  const Taps taps = make_taps(image.height, height, interpolation);
  Image out = Image::black(height, image.width, image.channels);
  const std::int64_t n = image.row_bytes();
  std::vector<std::int32_t> sums(static_cast<std::size_t>(n));
  for (std::int64_t y = 0; y < height; ++y) {
    const auto i = static_cast<std::size_t>(y);
    std::fill(sums.begin(), sums.end(), half);
    std::int32_t* sum = sums.data();
    for (std::int64_t tap = 0; tap < taps.counts[i]; ++tap) {
      const std::uint8_t* in = image.row(taps.first[i] + tap);
      const std::int32_t weight = taps.weights[static_cast<std::size_t>(y * taps.most + tap)];
      for (std::int64_t x = 0; x < n; ++x) sum[x] += in[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), out.row(y), byte_of);
  }
  return out;
}

// Indices of a line of m pixels that make one of n, added up as Pillow does.
std::vector<std::int64_t> nearest_places(std::int64_t m, std::int64_t n) {
  std::vector<std::int64_t> places;
  const double step = static_cast<double>(m) / static_cast<double>(n);
  double at = step * 0.5;
  for (std::int64_t i = 0; i < n; ++i, at += step) places.push_back(std::min(static_cast<std::int64_t>(at), m - 1));
  return places;
}

Image resize_nearest(const Image& image, const Box& box, std::int64_t height, std::int64_t width) {
  const auto rows = nearest_places(box.height, height), columns = nearest_places(box.width, width);
  Image out = Image::black(height, width, image.channels);
  std::uint8_t* to = out.pixels.data();
  for (const std::int64_t y : rows)
    for (const std::int64_t x : columns)
      to = std::copy_n(image.row(box.top + y) + (box.left + x) * image.channels, image.channels, to);
  return out;
}

Image cut(const Image& image, const Box& box) {
  Image out = Image::black(box.height, box.width, image.channels);
  for (std::int64_t y = 0; y < box.height; ++y)
    std::copy_n(image.row(box.top + y) + box.left * image.channels, out.row_bytes(), out.row(y));
  return out;
}

}  // namespace

Image resize(const Image& image, std::int64_t height, std::int64_t width, Interpolation interpolation) {
  return resize(image, {0, 0, image.height, image.width}, height, width, interpolation);
}

Image resize(const Image& image, const Box& box, std::int64_t height, std::int64_t width, Interpolation interpolation) {
  check(image.channels == 1 || image.channels == 3, "resize", "an image has 1 or 3 channels, got {}", image.channels);
  check(height >= 1 && width >= 1 && width <= most_image_pixels / height, "resize", "to {} x {} pixels", width, height);
  check(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 && box.top <= image.height - box.height &&
            box.left <= image.width - box.width,
        "resize", "{} x {} pixels at ({}, {}) are not within an image of {} x {}", box.width, box.height, box.left,
        box.top, image.width, image.height);
  if (height == box.height && width == box.width) return cut(image, box);
  if (interpolation == Interpolation::nearest) return resize_nearest(image, box, height, width);
  if (height == box.height) return resize_rows(image, box, width, interpolation);
  return resize_columns(width == box.width ? cut(image, box) : resize_rows(image, box, width, interpolation), height,
                        interpolation);
}

}  // namespace ff::models
