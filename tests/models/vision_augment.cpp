#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include "ff/models/vision/augment.h"
#include "ff/models/vision/color.h"
#include "ff/models/vision/rand_augment.h"

#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

RandomDraws draws_of(std::int64_t item) {
  return RandomDraws(item_key(data_key(3, DataStream::augmentation, 1), item));
}

// Noise of its own, so that hardly two operations make the same of it.
Image picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Image image = Image::black(height, width, channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(40 + random_bits({5, 0}, i) % 150);
  return image;
}

// What is in an image, as a key of maps.
std::string contents(const Image& image) { return {image.pixels.begin(), image.pixels.end()}; }

bool within(const Box& box, std::int64_t height, std::int64_t width) {
  return box.height >= 1 && box.width >= 1 && box.top >= 0 && box.left >= 0 && box.top + box.height <= height &&
         box.left + box.width <= width;
}

}  // namespace

TEST_CASE("image augmentation: random draws are each item's own, and have their moments") {
  RandomDraws one = draws_of(7), same = draws_of(7), other = draws_of(8);
  CHECK(one.uniform() == same.uniform());
  CHECK(one.normal() == same.normal());
  CHECK(one.uniform() != other.uniform());
  RandomDraws draws = draws_of(0);
  double mean = 0, square = 0;
  const int n = 20'000;
  for (int i = 0; i < n; ++i) {
    const double z = draws.normal(), u = draws.uniform(2, 5);
    REQUIRE(u >= 2);
    REQUIRE(u < 5);
    mean += z / n;
    square += z * z / n;
  }
  CHECK(std::abs(mean) < 0.03);
  CHECK(square == doctest::Approx(1).epsilon(0.04));
  // Numbers drawn one by one and those that fill an array are not the same ones.
  RandomDraws mixed = draws_of(1);
  float filled[6];
  mixed.normal(filled, 5);
  const double after = mixed.uniform();
  RandomDraws words = draws_of(1);
  for (int i = 0; i < 4; ++i) CHECK(words.uniform() != after);
  CHECK(words.uniform() == after);  // five numbers take two blocks of four words, a draw takes two words
}

TEST_CASE("image augmentation: the random part has its share of the area and its ratio") {
  const std::int64_t height = 300, width = 400;
  double least_area = 1, most_area = 0, mean_area = 0, least_ratio = 10, most_ratio = 0, left = 0;
  const int n = 4000;
  for (int i = 0; i < n; ++i) {
    RandomDraws draws = draws_of(i);
    const Box box = random_resized_box(height, width, {0.08, 1}, {0.75, 4.0 / 3}, draws);
    REQUIRE(within(box, height, width));
    const double area = static_cast<double>(box.height * box.width) / static_cast<double>(height * width);
    const double ratio = static_cast<double>(box.width) / static_cast<double>(box.height);
    least_area = std::min(least_area, area);
    most_area = std::max(most_area, area);
    mean_area += area / n;
    least_ratio = std::min(least_ratio, ratio);
    most_ratio = std::max(most_ratio, ratio);
    if (box.width < width) left += static_cast<double>(box.left) / static_cast<double>(width - box.width) / n;
  }
  CHECK(least_area > 0.075);
  CHECK(least_area < 0.1);
  CHECK(most_area > 0.95);
  CHECK(mean_area == doctest::Approx(0.432).epsilon(0.03));  // of 100,000 drawn by Python's random
  CHECK(least_ratio > 0.73);
  CHECK(least_ratio < 0.77);
  CHECK(most_ratio < 1.37);
  CHECK(most_ratio > 1.3);
  CHECK(left == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("image augmentation: where no part fits, the middle is taken") {
  RandomDraws draws = draws_of(0);
  auto box = [&](std::int64_t height, std::int64_t width) {
    const Box b = random_resized_box(height, width, {1, 1}, {0.75, 4.0 / 3}, draws);
    return std::array<std::int64_t, 4>{b.top, b.left, b.height, b.width};
  };
  CHECK(box(1000, 10) == std::array<std::int64_t, 4>{493, 0, 13, 10});
  CHECK(box(10, 1000) == std::array<std::int64_t, 4>{0, 493, 10, 13});
  CHECK(box(1, 1) == std::array<std::int64_t, 4>{0, 0, 1, 1});
  CHECK(box(1, 1000) == std::array<std::int64_t, 4>{0, 499, 1, 1});
}

TEST_CASE("image augmentation: a padded image is cut back anywhere") {
  const Image image = picture(6, 6, 1);
  std::map<std::pair<std::int64_t, std::int64_t>, int> places;
  for (int i = 0; i < 2500; ++i) {
    RandomDraws draws = draws_of(i);
    const Box box = random_padded_box(image, 6, 2, draws);
    CHECK(box.height == 6);
    ++places[{box.top, box.left}];
  }
  CHECK(places.size() == 25);
  CHECK(places.begin()->first == std::pair<std::int64_t, std::int64_t>{-2, -2});
  CHECK(places.rbegin()->first == std::pair<std::int64_t, std::int64_t>{2, 2});
  for (const auto& [place, count] : places) CHECK(std::abs(count - 100) < 50);
  RandomDraws draws = draws_of(0);
  check_says(error_of([&] { random_padded_box(image, 9, 1, draws); }), "9 x 9 pixels do not fit an image of 6 x 6");
}

TEST_CASE("image augmentation: colour jitter is what its draws say") {
  const Image image = picture(9, 7, 3);
  std::map<std::string, int> results;
  for (int i = 0; i < 60; ++i) {
    Image changed = image;
    RandomDraws draws = draws_of(i);
    color_jitter(changed, {0, 0, 0, 0.2}, draws);
    // The same by hand: three draws of the order, then the turn.
    RandomDraws again = draws_of(i);
    for (int n = 4; n > 1; --n) again.below(n);
    Image want = image;
    adjust_hue(want, again.uniform(-0.2, 0.2));
    CHECK(changed.pixels == want.pixels);
    color_jitter(changed, {0.4, 0.4, 0.4, 0.1}, draws);
    ++results[contents(changed)];
  }
  CHECK(results.size() > 55);
  Image same = image;
  RandomDraws draws = draws_of(0);
  color_jitter(same, {0, 0, 0, 0}, draws);
  CHECK(same.pixels == image.pixels);
}

TEST_CASE("image augmentation: erasing covers a rectangle with noise") {
  const std::int64_t channels = 3, height = 40, width = 60;
  int erased = 0;
  double area = 0, mean = 0, square = 0, values = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<float> x(static_cast<std::size_t>(channels * height * width), 100);
    RandomDraws draws = draws_of(i);
    random_erasing(x.data(), channels, height, width, 0.25, draws);
    std::int64_t top = height, bottom = -1, left = width, right = -1, count = 0;
    for (std::int64_t at = 0; at < static_cast<std::int64_t>(x.size()); ++at) {
      const float value = x[static_cast<std::size_t>(at)];
      if (value == 100) continue;
      const std::int64_t row = at / width % height, column = at % width;
      top = std::min(top, row);
      bottom = std::max(bottom, row);
      left = std::min(left, column);
      right = std::max(right, column);
      ++count;
      mean += value;
      square += value * value;
    }
    if (count == 0) continue;
    ++erased;
    values += static_cast<double>(count);
    REQUIRE(count == channels * (bottom - top + 1) * (right - left + 1));  // a whole rectangle, of every channel
    const double share = static_cast<double>(count) / static_cast<double>(x.size());
    CHECK(share > 0.017);
    CHECK(share < 0.36);
    area += share;
  }
  CHECK(std::abs(erased - 250) < 50);
  CHECK(area / erased == doctest::Approx(0.17).epsilon(0.15));
  CHECK(std::abs(mean / values) < 0.01);
  CHECK(square / values == doctest::Approx(1).epsilon(0.02));
}

TEST_CASE("RandAugment: every op comes as often as another, half of the time, and depends on its draws alone") {
  const Image image = picture(24, 20, 3);
  const std::vector<std::uint8_t> fill{124, 116, 104};
  auto changed = [&](std::int64_t item, const RandAugment& settings) {
    Image out = image;
    RandomDraws draws = draws_of(item);
    rand_augment(out, settings, Interpolation::bicubic, fill, draws);
    CHECK(out.pixels.size() == image.pixels.size());
    return contents(out);
  };
  CHECK(changed(1, {.ops = 0}) == contents(image));
  // Without spread, the three ops without severity give one image each, those of one direction one, the others two.
  std::map<std::string, int> results;
  const int n = 3000;
  for (int i = 0; i < n; ++i) ++results[changed(i, {.ops = 1, .magnitude = 5, .std = 0})];
  CHECK(results.size() == 1 + 6 + 9 * 2);
  CHECK(std::abs(results.at(contents(image)) - n / 2) < 150);
  Image inverted = image, posterized = image, brighter = image;
  invert(inverted);
  posterize(posterized, 2);
  adjust_brightness(brighter, 1.45);
  CHECK(std::abs(results.at(contents(inverted)) - n / 30) < 50);
  CHECK(std::abs(results.at(contents(posterized)) - n / 30) < 50);
  CHECK(std::abs(results.at(contents(brighter)) - n / 60) < 35);
  for (int i = 0; i < 50; ++i) CHECK(changed(i, {.ops = 2}) == changed(i, {.ops = 2}));
  CHECK(changed(3, {.ops = 15, .magnitude = 10, .std = 5}) != changed(4, {.ops = 15, .magnitude = 10, .std = 5}));
}
