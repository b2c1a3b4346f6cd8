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

// A stretch of a line of pixels.
struct Span {
  std::int64_t begin, count;
};

// A line of m pixels at another length, n, of which the pixels of a part are wanted.
struct Scaling {
  std::int64_t m, n;
  Span part;

  bool same() const { return m == n; }
};

// Of each wanted place of such a line: which of the m pixels it is made of, and with which weights.
struct Taps {
  std::int64_t most = 0;                    // of one place
  std::vector<std::int64_t> first, counts;  // (places)
  std::vector<std::int32_t> weights;        // (places, most)

  // All that is looked at.
  Span reach() const { return {first.front(), first.back() + counts.back() - first.front()}; }
};

Taps make_taps(const Scaling& line, Interpolation interpolation) {
  const auto filter = interpolation == Interpolation::bilinear ? triangle : cubic;
  const double scale = static_cast<double>(line.m) / static_cast<double>(line.n), widening = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bilinear ? 1 : 2) * widening;
  Taps taps;
  taps.most = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  taps.weights.resize(static_cast<std::size_t>(line.part.count * taps.most));
  std::vector<double> w(static_cast<std::size_t>(taps.most));
  for (std::int64_t i = 0; i < line.part.count; ++i) {
    const double centre = (static_cast<double>(line.part.begin + i) + 0.5) * scale;
    const std::int64_t begin = std::max<std::int64_t>(std::lround(centre - support), 0);
    const std::int64_t end = std::min<std::int64_t>(std::lround(centre + support), line.m);
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

// Rows of the image at another width: those of a stretch, of which the part of the line that begins at `left` is
// resized.
Image resize_rows(const Image& image, const Span& rows, std::int64_t left, const Taps& taps) {
  Image out = Image::black(rows.count, static_cast<std::int64_t>(taps.first.size()), image.channels);
  for (std::int64_t y = 0; y < rows.count; ++y) {
    const std::uint8_t* in = image.row(rows.begin + y) + left * image.channels;
    image.channels == 1 ? resize_row<1>(in, taps, out.row(y)) : resize_row<3>(in, taps, out.row(y));
  }
  return out;
}

// The image, whose first row is number `top` of the line that taps are of, at another height.
Image resize_columns(const Image& image, std::int64_t top, const Taps& taps) {
  const auto height = static_cast<std::int64_t>(taps.first.size());
  Image out = Image::black(height, image.width, image.channels);
  const std::int64_t n = image.row_bytes();
  std::vector<std::int32_t> sums(static_cast<std::size_t>(n));
  for (std::int64_t y = 0; y < height; ++y) {
    const auto i = static_cast<std::size_t>(y);
    std::fill(sums.begin(), sums.end(), half);
    std::int32_t* sum = sums.data();
    for (std::int64_t tap = 0; tap < taps.counts[i]; ++tap) {
      const std::uint8_t* in = image.row(taps.first[i] + tap - top);
      const std::int32_t weight = taps.weights[static_cast<std::size_t>(y * taps.most + tap)];
      for (std::int64_t x = 0; x < n; ++x) sum[x] += in[x] * weight;
    }
    std::transform(sums.begin(), sums.end(), out.row(y), byte_of);
  }
  return out;
}

// Indices of the wanted pixels, added up as Pillow does.
std::vector<std::int64_t> nearest_places(const Scaling& line) {
  std::vector<std::int64_t> places;
  const double step = static_cast<double>(line.m) / static_cast<double>(line.n);
  double at = step * 0.5;
  for (std::int64_t i = 0; i < line.part.begin + line.part.count; ++i, at += step)
    if (i >= line.part.begin) places.push_back(std::min(static_cast<std::int64_t>(at), line.m - 1));
  return places;
}

Image cut(const Image& image, const Box& box) {
  Image out = Image::black(box.height, box.width, image.channels);
  for (std::int64_t y = 0; y < box.height; ++y)
    std::copy_n(image.row(box.top + y) + box.left * image.channels, out.row_bytes(), out.row(y));
  return out;
}

// What is in box, resized by both scalings.
Image resized(const Image& image, const Box& box, const Scaling& down, const Scaling& across,
              Interpolation interpolation) {
  if (down.same() && across.same())
    return cut(image, {box.top + down.part.begin, box.left + across.part.begin, down.part.count, across.part.count});
  if (interpolation == Interpolation::nearest) {
    const auto rows = nearest_places(down), columns = nearest_places(across);
    Image out = Image::black(down.part.count, across.part.count, image.channels);
    std::uint8_t* to = out.pixels.data();
    for (const std::int64_t y : rows)
      for (const std::int64_t x : columns)
        to = std::copy_n(image.row(box.top + y) + (box.left + x) * image.channels, image.channels, to);
    return out;
  }
  const Taps of_rows = down.same() ? Taps{} : make_taps(down, interpolation);
  const Span rows = down.same() ? down.part : of_rows.reach();
  const Image wide =
      across.same()
          ? cut(image, {box.top + rows.begin, box.left + across.part.begin, rows.count, across.part.count})
          : resize_rows(image, {box.top + rows.begin, rows.count}, box.left, make_taps(across, interpolation));
  return down.same() ? wide : resize_columns(wide, rows.begin, of_rows);
}

void check_channels(const Image& image) {
  check(image.channels == 1 || image.channels == 3, "resize", "an image has 1 or 3 channels, got {}", image.channels);
}

}  // namespace

Image resize(const Image& image, std::int64_t height, std::int64_t width, Interpolation interpolation) {
  return resize(image, {0, 0, image.height, image.width}, height, width, interpolation);
}

Image resize(const Image& image, const Box& box, std::int64_t height, std::int64_t width, Interpolation interpolation) {
  check_channels(image);
  check(height >= 1 && width >= 1 && width <= most_image_pixels / height, "resize", "to {} x {} pixels", width, height);
  check(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 && box.top <= image.height - box.height &&
            box.left <= image.width - box.width,
        "resize", "{} x {} pixels at ({}, {}) are not within an image of {} x {}", box.width, box.height, box.left,
        box.top, image.width, image.height);
  return resized(image, box, {box.height, height, {0, height}}, {box.width, width, {0, width}}, interpolation);
}

Image resize_window(const Image& image, std::int64_t height, std::int64_t width, const Box& window,
                    Interpolation interpolation) {
  check_channels(image);
  check(image.height >= 1 && image.width >= 1, "resize", "the image is empty");
  check(window.top >= 0 && window.left >= 0 && window.height >= 1 && window.width >= 1 &&
            window.top <= height - window.height && window.left <= width - window.width,
        "resize", "{} x {} pixels at ({}, {}) are not within {} x {}", window.width, window.height, window.left,
        window.top, width, height);
  return resized(image, {0, 0, image.height, image.width}, {image.height, height, {window.top, window.height}},
                 {image.width, width, {window.left, window.width}}, interpolation);
}

}  // namespace ff::models
