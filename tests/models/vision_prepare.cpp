#include <algorithm>

#include <doctest/doctest.h>

#include "ff/core/parallel.h"
#include "ff/models/vision/geometry.h"
#include "ff/models/vision/transform.h"

#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

using Mode = ImagePreparer::Mode;

Image picture(std::int64_t height, std::int64_t width, std::int64_t channels) {
  Image image = Image::black(height, width, channels);
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t i = 0; i < image.row_bytes(); ++i)
      image.row(y)[i] = static_cast<std::uint8_t>(1 + (7 * y + 3 * i + i * y) % 255);
  return image;
}

std::vector<float> prepared(const ImageTransform& settings, Mode mode, std::int64_t size, const Image& image,
                            std::int64_t item = 0) {
  std::vector<float> out(static_cast<std::size_t>(image.channels * size * size));
  ImagePreparer(settings, mode, image.channels, size).prepare(image, item_key({9, 0}, item), out.data());
  return out;
}

std::string config_error(const std::string& json) {
  ImageTransform transform;
  return error_of([&] { read_config([&](Fields& f) { transform.visit(f); }, json, "file"); });
}

}  // namespace

TEST_CASE("image preparation: an image that fits is normalised, channel by channel") {
  const Image image = picture(3, 3, 3);
  const ImageTransform settings{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
  const auto out = prepared(settings, Mode::evaluation, 3, image);
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t i = 0; i < 9; ++i) {
      const auto k = static_cast<std::size_t>(c);
      const double want =
          (image.pixels[static_cast<std::size_t>(3 * i + c)] / 255.0 - settings.mean[k]) / settings.std[k];
      CHECK(out[static_cast<std::size_t>(9 * c + i)] == doctest::Approx(want).epsilon(1e-6));
    }
}

TEST_CASE("image preparation: evaluation takes the middle of the image resized") {
  const Image image = picture(37, 53, 1);
  const ImageTransform bytes{.mean = {0}, .std = {1}, .interpolation = Interpolation::bilinear, .eval_resize = 16};
  for (const Mode mode : {Mode::evaluation, Mode::training}) {  // nothing is random unless it is asked for
    const auto out = prepared(bytes, mode, 14, image);
    const Image resized = resize(image, 16, 22, Interpolation::bilinear);  // 16 * 53 / 37 = 22.9
    for (std::int64_t y = 0; y < 14; ++y)
      for (std::int64_t x = 0; x < 14; ++x)
        CHECK(out[static_cast<std::size_t>(14 * y + x)] == doctest::Approx(resized.row(y + 1)[x + 4] / 255.0));
  }
  const Box odd = center_box(10, 13, 7, 8);  // torchvision rounds 1.5 to 2 and 2.5 to 2
  CHECK(odd.top == 2);
  CHECK(odd.left == 2);
}

TEST_CASE("image preparation: padded crops and mirror images, each of them at times") {
  const Image image = picture(5, 5, 1);
  const ImageTransform settings{.mean = {0}, .std = {1}, .crop_padding = 1, .horizontal_flip = true};
  int found = 0;
  std::vector<std::vector<float>> all;
  for (int top = -1; top <= 1; ++top)
    for (int left = -1; left <= 1; ++left)
      for (const bool flip : {false, true}) {
        std::vector<float> want;
        for (int y = 0; y < 5; ++y)
          for (int x = 0; x < 5; ++x) {
            const int row = y + top, column = (flip ? 4 - x : x) + left;
            const bool inside = row >= 0 && row < 5 && column >= 0 && column < 5;
            want.push_back(inside ? static_cast<float>(image.row(row)[column] / 255.0) : 0);
          }
        all.push_back(want);
      }
  std::vector<int> counts(all.size());
  for (int i = 0; i < 900; ++i) {
    const auto out = prepared(settings, Mode::training, 5, image, i);
    const auto at = std::find(all.begin(), all.end(), out) - all.begin();
    REQUIRE(at < static_cast<std::ptrdiff_t>(all.size()));
    found += counts[static_cast<std::size_t>(at)]++ == 0;
  }
  CHECK(found == 18);
  CHECK(prepared(settings, Mode::evaluation, 5, image) == all[8]);
}

TEST_CASE("image preparation: the published recipe, the same from any thread") {
  const Image image = picture(60, 90, 3);
  const ImageTransform settings{.mean = {0.485, 0.456, 0.406},
                                .std = {0.229, 0.224, 0.225},
                                .random_resized_crop = true,
                                .horizontal_flip = true,
                                .rand_augment = {.ops = 2},
                                .color_jitter = {0.3, 0.3, 0.3, 0.1},
                                .random_erasing = 0.25};
  const ImagePreparer preparer(settings, Mode::training, 3, 32);
  const std::int64_t n = 40, floats = 3 * 32 * 32;
  std::vector<float> many(static_cast<std::size_t>(n * floats));
  const int before = num_threads();
  set_num_threads(4);
  parallel_for(n, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) preparer.prepare(image, item_key({9, 0}, i), many.data() + i * floats);
  });
  set_num_threads(before);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto one = prepared(settings, Mode::training, 32, image, i);
    CHECK(std::equal(one.begin(), one.end(), many.begin() + i * floats));
    if (i > 0) CHECK(!std::equal(one.begin(), one.end(), many.begin()));
  }
}

TEST_CASE("image preparation: settings that do not fit are refused") {
  const Image image = picture(5, 5, 3);
  auto refusal = [&](const ImageTransform& settings, std::int64_t channels, std::int64_t size) {
    return error_of([&] { ImagePreparer(settings, Mode::training, channels, size); });
  };
  check_says(refusal({.mean = {0.5, 0.5}}, 3, 5), "2 numbers of mean for 3 channels");
  check_says(refusal({}, 4, 5), "1 or 3 channels, 4 were asked for");
  check_says(refusal({.eval_resize = 4}, 3, 5), "eval_resize is 4, below the model's image_size of 5");
  float out[25];
  check_says(error_of([&] { ImagePreparer({}, Mode::training, 1, 5).prepare(image, {}, out); }),
             "an image of 3 channels for a model of 1");
  CHECK(config_error(R"({"interpolation": "bilinear", "rand_augment": 2, "color_jitter": [0.3, 0.3, 0.3, 0]})") ==
        "(no error)");
  check_says(config_error(R"({"crop_scale": [1, 0.5]})"), "the least comes before the most");
  check_says(config_error(R"({"crop_ratio": [2, 0.5]})"), "the least comes before the most");
  check_says(config_error(R"({"crop_padding": 4, "random_resized_crop": true})"), "have no padding");
  check_says(config_error(R"({"color_jitter": [0, 0, 0, 0.6]})"), "at most 0.5");
  check_says(config_error(R"({"crop_scale": [0.5]})"), "crop_scale");
}
