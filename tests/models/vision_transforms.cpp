// Each transform of an image against Pillow's, which tools/golden/images.py wrote.

#include <cstdlib>
#include <functional>

#include <doctest/doctest.h>

#include "ff/core/io/safetensors.h"
#include "ff/models/vision/color.h"
#include "ff/models/vision/geometry.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// Golden values of a small image and, where FF_GOLDEN_DIR has them, of a larger one.
const std::vector<TensorMap>& golden() {
  static const std::vector<TensorMap> maps = [] {
    std::vector<TensorMap> all{load_safetensors(FF_SOURCE_DIR "/tests/golden/image_transforms.safetensors")};
    if (const char* more = std::getenv("FF_GOLDEN_DIR"))
      all.push_back(load_safetensors(std::string(more) + "/image_transforms.safetensors"));
    return all;
  }();
  return maps;
}

Image image_of(const Tensor& pixels) {
  const auto bytes = pixels.to_vector<std::uint8_t>();
  return {pixels.size(0), pixels.size(1), pixels.size(2), {bytes.begin(), bytes.end()}};
}

using Transform = std::function<Image(const Image&)>;

Transform in_place(const std::function<void(Image&)>& f) {
  return [f](Image image) {
    f(image);
    return image;
  };
}

// Compares transform(the golden image of that name) with the golden result.
void check_golden(const std::string& name, const Transform& transform, const std::string& of = "image") {
  INFO(name);
  for (const TensorMap& map : golden()) {
    const Tensor want = map.at(name);
    const Image got = transform(image_of(map.at(of)));
    REQUIRE(got.height == want.size(0));
    REQUIRE(got.width == want.size(1));
    const auto d = largest_difference(got.pixels, want.to_vector<std::uint8_t>(), want.shape());
    CHECK_MESSAGE(d.absolute == 0, d.str());
  }
}

const std::vector<std::pair<std::string, Interpolation>> interpolations{
    {"nearest", Interpolation::nearest}, {"bilinear", Interpolation::bilinear}, {"bicubic", Interpolation::bicubic}};
const std::vector<std::uint8_t> fill{124, 116, 104};

// The channel of an image, as a grey one.
Image channel(const Image& image, std::int64_t c) {
  Image out = Image::black(image.height, image.width, 1);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = image.pixels[3 * i + static_cast<std::size_t>(c)];
  return out;
}

}  // namespace

TEST_CASE("image transforms: resizing gives Pillow's bytes") {
  for (const auto& [kind, interpolation] : interpolations) {
    auto to = [&, interpolation = interpolation](std::int64_t height, std::int64_t width) {
      return [=](const Image& image) { return resize(image, height, width, interpolation); };
    };
    auto by = [&](std::int64_t h, std::int64_t h_over, std::int64_t w, std::int64_t w_over) {
      return [=](const Image& x) { return to(x.height * h / h_over, x.width * w / w_over)(x); };
    };
    check_golden("resize smaller " + kind, by(1, 2, 2, 5));
    check_golden("resize larger " + kind, by(7, 5, 4, 3));
    check_golden("resize narrower " + kind, by(1, 1, 1, 3));
    check_golden("resize higher " + kind, by(4, 3, 1, 1));
    check_golden("resize box " + kind, [interpolation = interpolation](const Image& x) {
      return resize(x, {3, 2, x.height - 4, x.width - 5}, 8, 9, interpolation);
    });
  }
}

TEST_CASE("image transforms: a part of a resized image is that part, and a long strip costs no more than it") {
  const Image image = image_of(golden().front().at("image"));
  for (const auto& [name, interpolation] : interpolations)
    for (const std::int64_t height : {image.height / 3, image.height, 2 * image.height + 1})
      for (const std::int64_t width : {image.width / 2, image.width, 3 * image.width}) {
        const Image whole = resize(image, height, width, interpolation);
        for (const Box& window : {Box{0, 0, height, width}, Box{height / 3, width / 4, height / 2, width / 2},
                                  Box{height - 1, width - 1, 1, 1}}) {
          INFO(name << " to " << width << " x " << height << ", from (" << window.left << ", " << window.top << ")");
          const Image want = crop(whole, window), got = resize_window(image, height, width, window, interpolation);
          CHECK(got.height == want.height);
          CHECK(got.width == want.width);
          CHECK(got.pixels == want.pixels);
        }
      }
  Image strip = Image::black(1, 100000, 3);
  std::fill(strip.pixels.begin(), strip.pixels.end(), std::uint8_t{77});
  const Image middle = resize_window(strip, 64, 6400000, {0, 3199968, 64, 64}, Interpolation::bicubic);
  CHECK(middle.pixels == Pixels(std::size_t{64 * 64 * 3}, std::uint8_t{77}));
  CHECK(contains(error_of([&] {
                   resize_window(strip, 64, 640, {0, 600, 64, 64}, Interpolation::bicubic);
                 }),
                 {"[resize]", "64 x 64", "(600, 0)", "640 x 64"}));
}

TEST_CASE("image transforms: a grey image is resized and turned as each channel of a colour one") {
  const Image image = image_of(golden()[0].at("image"));
  for (const auto& [kind, interpolation] : interpolations)
    for (const std::int64_t c : {0, 1, 2}) {
      const Image resized = resize(image, 7, 17, interpolation), turned = rotate(image, 20, interpolation, fill);
      CHECK(resize(channel(image, c), 7, 17, interpolation).pixels == channel(resized, c).pixels);
      CHECK(rotate(channel(image, c), 20, interpolation, {fill[static_cast<std::size_t>(c)]}).pixels ==
            channel(turned, c).pixels);
    }
}

TEST_CASE("image transforms: moved, sheared and turned images are Pillow's") {
  for (const auto& [kind, interpolation] : interpolations) {
    auto by = [interpolation = interpolation](std::array<double, 6> m) {
      return [=](const Image& image) { return affine(image, m, interpolation, fill); };
    };
    check_golden("shear_x " + kind, by({1, 0.23, 0, 0, 1, 0}));
    check_golden("shear_y " + kind, by({1, 0, 0, -0.17, 1, 0}));
    check_golden("move_x " + kind, by({1, 0, 4.4, 0, 1, 0}));
    check_golden("move_y " + kind, by({1, 0, 0, 0, 1, -2}));
    if (interpolation == Interpolation::nearest) continue;  // Pillow turns in fixed point
    for (const auto& [name, degrees] :
         {std::pair{"rotate 17.3 ", 17.3}, {"rotate -30 ", -30.0}, {"rotate 180 ", 180.0}})
      check_golden(name + kind, [degrees = degrees, interpolation = interpolation](const Image& image) {
        return rotate(image, degrees, interpolation, fill);
      });
  }
  check_golden("flip", in_place(flip_horizontal));
}

TEST_CASE("image transforms: changes of colour are Pillow's") {
  for (const auto& [factor, text] : {std::pair{0.1, " 0.1"}, {0.73, " 0.73"}, {1.9, " 1.9"}}) {
    auto by = [factor = factor](void (*adjust)(Image&, double)) {
      return in_place([=](Image& image) { adjust(image, factor); });
    };
    check_golden(std::string("brightness") + text, by(adjust_brightness));
    check_golden(std::string("contrast") + text, by(adjust_contrast));
    check_golden(std::string("saturation") + text, by(adjust_saturation));
    check_golden(std::string("sharpness") + text, by(adjust_sharpness));
  }
  for (const auto& [turns, text] : {std::pair{0.0, "hue 0"}, {0.3, "hue 0.3"}, {-0.5, "hue -0.5"}})
    check_golden(text, in_place([turns = turns](Image& image) { adjust_hue(image, turns); }));
  check_golden("auto_contrast", in_place(auto_contrast), "dim");
  check_golden("equalize", in_place(equalize));
  check_golden("invert", in_place(invert));
  check_golden("posterize 3", in_place([](Image& image) { posterize(image, 3); }));
  check_golden("solarize 100", in_place([](Image& image) { solarize(image, 100); }));
  check_golden("solarize_add 60", in_place([](Image& image) { solarize_add(image, 60); }));
}

TEST_CASE("image transforms: colours of one value, and empty images") {
  for (const auto change : {auto_contrast, equalize, invert}) {
    Image flat{2, 2, 1, {7, 7, 7, 7}}, empty = Image::black(0, 3, 3);
    change(flat);
    change(empty);
    CHECK(flat.pixels == Pixels(4, change == invert ? 248 : 7));
  }
  Image dot{1, 1, 3, {10, 20, 30}}, empty = Image::black(0, 3, 3);
  for (const auto adjust : {adjust_brightness, adjust_contrast, adjust_saturation, adjust_sharpness, adjust_hue}) {
    adjust(dot, adjust == adjust_hue ? 0 : 1);
    adjust(empty, 0.5);
  }
  CHECK(dot.pixels == Pixels{10, 20, 30});
  CHECK(resize(dot, 2, 2, Interpolation::bicubic).pixels == Pixels{10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30});
}

TEST_CASE("image transforms: what cannot be done is refused") {
  const Image image = Image::black(4, 6, 3);
  const auto bicubic = Interpolation::bicubic;
  check_says(error_of([&] { resize(image, 0, 3, bicubic); }), "[resize] to 3 x 0 pixels");
  check_says(error_of([&] { resize(image, 1 << 20, 1 << 20, bicubic); }), "[resize] to 1048576 x 1048576 pixels");
  check_says(error_of([&] {
               resize(image, {1, 0, 4, 6}, 2, 2, bicubic);
             }),
             "6 x 4 pixels at (0, 1) are not within an image of 6 x 4");
  check_says(error_of([&] { resize(Image{}, 2, 2, bicubic); }), "1 or 3 channels, got 0");
  check_says(error_of([&] { affine(image, {}, bicubic, {1}); }), "1 numbers of fill for 3 channels");
  Image changed = image;
  check_says(error_of([&] { adjust_hue(changed, 0.6); }), "from -0.5 to 0.5, got 0.6");
  check_says(error_of([&] { posterize(changed, 9); }), "0 to 8 bits, got 9");
}
