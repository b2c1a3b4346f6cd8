#include "ff/models/vision/color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "ff/core/check.h"

namespace ff::models {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::uint8_t byte_of(double x) { return static_cast<std::uint8_t>(std::clamp(x, 0.0, 255.0)); }

// The table of a function of bytes.
template <class F>
Table tabulate(F f) {
  Table table;
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = f(i);
  return table;
}

void look_up(Image& image, const Table& table) {
  for (std::uint8_t& x : image.pixels) x = table[x];
}

// Applies to each channel the table that make(histogram) gives for it.
template <class Make>
void apply_by_histogram(Image& image, Make make) {
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    Histogram histogram{};
    for (std::size_t i = c; i < image.pixels.size(); i += channels) ++histogram[image.pixels[i]];
    const Table table = make(histogram);
    for (std::size_t i = c; i < image.pixels.size(); i += channels) image.pixels[i] = table[image.pixels[i]];
  }
}

// From a at factor 0 to b at 1, and on; cut to an integer, not rounded.
std::uint8_t blend(int a, int b, float factor) {
  return static_cast<std::uint8_t>(
      std::clamp(static_cast<float>(a) + factor * static_cast<float>(b - a), 0.0f, 255.0f));
}

void blend_with(Image& image, int value, double factor) {
  look_up(image, tabulate([&](int x) { return blend(value, x, static_cast<float>(factor)); }));
}

struct Hsv {
  std::uint8_t hue, saturation, value;
};

Hsv hsv_of(const std::uint8_t* rgb) {
  const int r = rgb[0], g = rgb[1], b = rgb[2], most = std::max({r, g, b}), least = std::min({r, g, b});
  if (most == least) return {0, 0, static_cast<std::uint8_t>(most)};
  const auto range = static_cast<float>(most - least);
  const float rc = static_cast<float>(most - r) / range, gc = static_cast<float>(most - g) / range,
              bc = static_cast<float>(most - b) / range;
  const auto sixths = static_cast<float>(r == most ? bc - gc : g == most ? 2.0 + rc - bc : 4.0 + gc - rc);
  const auto hue = static_cast<float>(std::fmod(sixths / 6.0 + 1.0, 1.0));
  return {byte_of(hue * 255.0), byte_of(range / static_cast<float>(most) * 255.0), static_cast<std::uint8_t>(most)};
}

void set_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  if (hsv.saturation == 0) {
    rgb[0] = rgb[1] = rgb[2] = hsv.value;
    return;
  }
  const double sixths = static_cast<float>(hsv.hue) * 6.0 / 255.0, sector = std::floor(sixths);
  const auto f = static_cast<float>(sixths - sector), s = static_cast<float>(hsv.saturation / 255.0);
  const auto v = static_cast<float>(hsv.value);
  const std::uint8_t p = byte_of(std::round(v * (1.0 - s))), q = byte_of(std::round(v * (1.0 - s * f))),
                     t = byte_of(std::round(v * (1.0 - s * (1.0 - f))));
  const std::uint8_t sectors[6][3] = {{hsv.value, t, p}, {q, hsv.value, p}, {p, hsv.value, t},
                                      {p, q, hsv.value}, {t, p, hsv.value}, {hsv.value, p, q}};
  std::copy_n(sectors[static_cast<int>(sector) % 6], 3, rgb);
}

// Each pixel but those of the edge becomes the mean of its 3 x 3 neighbours, itself counted five times.
Image smoothed(const Image& image) {
  Image out = image;
  const std::int64_t c = image.channels;
  for (std::int64_t y = 1; y < image.height - 1; ++y) {
    const std::uint8_t *above = image.row(y - 1), *in = image.row(y), *below = image.row(y + 1);
    std::uint8_t* to = out.row(y);
    for (std::int64_t i = c; i < image.row_bytes() - c; ++i) {
      const int sum = above[i - c] + above[i] + above[i + c] + in[i - c] + 5 * in[i] + in[i + c] + below[i - c] +
                      below[i] + below[i + c];
      to[i] = static_cast<std::uint8_t>((2 * sum + 13) / 26);  // sum / 13, rounded
    }
  }
  return out;
}

}  // namespace

void adjust_brightness(Image& image, double factor) { blend_with(image, 0, factor); }

void adjust_contrast(Image& image, double factor) {
  if (image.pixels.empty()) return;
  const Image grey = with_channels(image, 1);
  const auto n = static_cast<std::int64_t>(grey.pixels.size());
  const auto sum = std::accumulate(grey.pixels.begin(), grey.pixels.end(), std::int64_t{0});
  blend_with(image, static_cast<int>((2 * sum + n) / (2 * n)), factor);  // the mean, rounded
}

void adjust_saturation(Image& image, double factor) {
  const Image grey = with_channels(image, 1);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] =
        blend(grey.pixels[i / static_cast<std::size_t>(image.channels)], image.pixels[i], static_cast<float>(factor));
}

void adjust_sharpness(Image& image, double factor) {
  const Image smooth = smoothed(image);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = blend(smooth.pixels[i], image.pixels[i], static_cast<float>(factor));
}

void adjust_hue(Image& image, double turns) {
  check(turns >= -0.5 && turns <= 0.5, "adjust_hue", "a turn is from -0.5 to 0.5, got {}", turns);
  if (image.channels == 1) return;
  const int shift = static_cast<int>(turns * 255);
  for (std::size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    Hsv hsv = hsv_of(&image.pixels[i]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + shift);  // modulo 256
    set_rgb(hsv, &image.pixels[i]);
  }
}

void auto_contrast(Image& image) {
  apply_by_histogram(image, [](const Histogram& histogram) {
    auto used = [](std::int64_t n) { return n > 0; };
    const auto low = std::find_if(histogram.begin(), histogram.end(), used) - histogram.begin();
    const auto high = 255 - (std::find_if(histogram.rbegin(), histogram.rend(), used) - histogram.rbegin());
    const double scale = high > low ? 255.0 / static_cast<double>(high - low) : 1;
    const double offset = high > low ? -static_cast<double>(low) * scale : 0;
    return tabulate([&](int x) { return byte_of(x * scale + offset); });
  });
}

void equalize(Image& image) {
  apply_by_histogram(image, [](const Histogram& histogram) {
    const auto total = std::accumulate(histogram.begin(), histogram.end(), std::int64_t{0});
    const auto last = std::find_if(histogram.rbegin(), histogram.rend(), [](std::int64_t n) { return n > 0; });
    const std::int64_t step = last == histogram.rend() ? 0 : (total - *last) / 255;
    std::int64_t below = step / 2;
    return tabulate([&](int x) {
      if (step == 0) return static_cast<std::uint8_t>(x);  // too few pixels to spread
      const auto level = static_cast<std::uint8_t>(std::min<std::int64_t>(below / step, 255));
      below += histogram[static_cast<std::size_t>(x)];
      return level;
    });
  });
}

void invert(Image& image) { solarize(image, 0); }

void posterize(Image& image, int bits) {
  check(bits >= 0 && bits <= 8, "posterize", "0 to 8 bits, got {}", bits);
  look_up(image, tabulate([&](int x) { return static_cast<std::uint8_t>(x & ~((1 << (8 - bits)) - 1)); }));
}

void solarize(Image& image, int threshold) {
  look_up(image, tabulate([&](int x) { return static_cast<std::uint8_t>(x < threshold ? x : 255 - x); }));
}

void solarize_add(Image& image, int add) {
  look_up(image, tabulate([&](int x) { return byte_of(x < 128 ? x + add : x); }));
}

}  // namespace ff::models
