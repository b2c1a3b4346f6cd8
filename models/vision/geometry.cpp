#include "ff/models/vision/geometry.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ff/core/check.h"

namespace ff::models {
namespace {

// Takes pixels of an image at places between them, clamped to its edges. What it computes, and in which order, is
// Pillow's: its results are cut to integers, so that a rounding error could be a difference of 1.
class Sampler {
 public:
  explicit Sampler(const Image& image) : image_(image) {}

  void nearest(double x, double y, std::uint8_t* out) const {
    std::copy_n(image_.row(static_cast<std::int64_t>(y)) + static_cast<std::int64_t>(x) * image_.channels,
                image_.channels, out);
  }

  void bilinear(double x, double y, std::uint8_t* out) const {
    const Place<2> column(x, image_.width, 0), row(y, image_.height, 0);
    for (std::int64_t c = 0; c < image_.channels; ++c) {
      double values[2];
      for (int i = 0; i < 2; ++i) {
        const std::uint8_t* in = image_.row(row.index[i]) + c;
        const double left = in[column.index[0] * image_.channels], right = in[column.index[1] * image_.channels];
        values[i] = left + (right - left) * column.fraction;
      }
      out[c] = static_cast<std::uint8_t>(values[0] + (values[1] - values[0]) * row.fraction);
    }
  }

  void bicubic(double x, double y, std::uint8_t* out) const {
    const Place<4> column(x, image_.width, -1), row(y, image_.height, -1);
    std::int64_t at[4];
    const std::uint8_t* rows[4];
    for (int i = 0; i < 4; ++i) {
      at[i] = column.index[i] * image_.channels;
      rows[i] = image_.row(row.index[i]);
    }
    for (std::int64_t c = 0; c < image_.channels; ++c) {
      int v[4][4];  // (column, row), so that the compiler takes the four rows at once
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) v[i][j] = rows[j][at[i] + c];
      double values[4];
      for (int j = 0; j < 4; ++j) values[j] = cubic(v[0][j], v[1][j], v[2][j], v[3][j], column.fraction);
      const double value = cubic(values[0], values[1], values[2], values[3], row.fraction);
      out[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
    }
  }

 private:
  // Of a place on a line of n pixels, whose centres are at 0.5, 1.5, ..: the pixels around it, and how far it is from
  // the one on its left to the next.
  template <int taps>
  struct Place {
    std::int64_t index[taps];
    double fraction;

    Place(double at, std::int64_t n, std::int64_t first) {
      at -= 0.5;
      const std::int64_t left = at < 0 ? -1 : static_cast<std::int64_t>(at);
      fraction = at - static_cast<double>(left);
      for (int i = 0; i < taps; ++i) index[i] = std::clamp<std::int64_t>(left + first + i, 0, n - 1);
    }
  };

  template <class T>
  static double cubic(T v1, T v2, T v3, T v4, double t) {
    const T p2 = -v1 + v3, p3 = 2 * (v1 - v2) + v3 - v4, p4 = -v1 + v2 - v3 + v4;
    return v2 + t * (p2 + t * (p3 + t * p4));
  }

  const Image& image_;
};

}  // namespace

Image crop(const Image& image, const Box& box) {
  Image out = Image::black(box.height, box.width, image.channels);
  const std::int64_t left = std::max<std::int64_t>(box.left, 0), right = std::min(box.left + box.width, image.width);
  const std::int64_t top = std::max<std::int64_t>(box.top, 0), bottom = std::min(box.top + box.height, image.height);
  for (std::int64_t y = top; y < bottom && left < right; ++y)
    std::copy_n(image.row(y) + left * image.channels, (right - left) * image.channels,
                out.row(y - box.top) + (left - box.left) * image.channels);
  return out;
}

Box center_box(std::int64_t height, std::int64_t width, std::int64_t box_height, std::int64_t box_width) {
  auto start = [](std::int64_t n, std::int64_t part) {  // halves to the even number, as Python rounds
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(n - part) / 2));
  };
  return {start(height, box_height), start(width, box_width), box_height, box_width};
}

void flip_horizontal(Image& image) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::uint8_t *left = image.row(y), *right = left + image.row_bytes() - image.channels;
    for (; left < right; left += image.channels, right -= image.channels)
      std::swap_ranges(left, left + image.channels, right);
  }
}

Image affine(const Image& image, const std::array<double, 6>& m, Interpolation interpolation,
             const std::vector<std::uint8_t>& fill) {
  check(fill.size() == static_cast<std::size_t>(image.channels), "affine", "{} numbers of fill for {} channels",
        fill.size(), image.channels);
  const Sampler sampler(image);
  const auto sample = interpolation == Interpolation::nearest    ? &Sampler::nearest
                      : interpolation == Interpolation::bilinear ? &Sampler::bilinear
                                                                 : &Sampler::bicubic;
  const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
  Image out = Image::black(image.height, image.width, image.channels);
  std::uint8_t* to = out.pixels.data();
  for (std::int64_t row = 0; row < image.height; ++row)
    for (std::int64_t column = 0; column < image.width; ++column, to += image.channels) {
      const double x = static_cast<double>(column) + 0.5, y = static_cast<double>(row) + 0.5;
      const double from_x = m[0] * x + m[1] * y + m[2], from_y = m[3] * x + m[4] * y + m[5];
      if (from_x >= 0 && from_x < width && from_y >= 0 && from_y < height)
        (sampler.*sample)(from_x, from_y, to);
      else
        std::copy(fill.begin(), fill.end(), to);
    }
  return out;
}

Image rotate(const Image& image, double degrees, Interpolation interpolation, const std::vector<std::uint8_t>& fill) {
  auto rounded = [](double x) { return std::nearbyint(x * 1e15) / 1e15; };  // so that right angles are exact
  const double turn = degrees - 360 * std::floor(degrees / 360), angle = -turn * (std::numbers::pi / 180);
  const double cosine = rounded(std::cos(angle)), sine = rounded(std::sin(angle));
  const double x = static_cast<double>(image.width) / 2, y = static_cast<double>(image.height) / 2;
  return affine(image, {cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y},
                interpolation, fill);
}

}  // namespace ff::models
