// Times what a training image costs: decoding (a JPEG named by FF_BENCH_JPEG), resizing, the augmentations of the
// published recipe. One thread; times are of one image.

#include <cstdlib>

#include <benchmark/benchmark.h>

#include "ff/core/io/file.h"
#include "ff/models/vision/geometry.h"
#include "ff/models/vision/transform.h"

namespace {

using namespace ff;
using namespace ff::models;

// Of the size of most of ImageNet's; slopes, so that no two pixels are alike.
Image picture() {
  Image image = Image::black(375, 500, 3);
  for (std::int64_t y = 0; y < image.height; ++y)
    for (std::int64_t i = 0; i < image.row_bytes(); ++i)
      image.row(y)[i] = static_cast<std::uint8_t>(y / 2 + i / 7 + random_bits({1, 0}, y * image.row_bytes() + i) % 16);
  return image;
}

void image_decode(benchmark::State& state) {
  const char* path = std::getenv("FF_BENCH_JPEG");
  if (!path) return state.SkipWithError("FF_BENCH_JPEG names no file");
  const std::string bytes = io::read_file(path);
  for (auto _ : state)
    benchmark::DoNotOptimize(decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path));
}
BENCHMARK(image_decode)->Unit(benchmark::kMillisecond);

void image_resize(benchmark::State& state) {
  const Image image = picture();
  for (auto _ : state) benchmark::DoNotOptimize(resize(image, 224, 224, static_cast<Interpolation>(state.range(0))));
}
BENCHMARK(image_resize)->ArgName("interpolation")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void image_rotate(benchmark::State& state) {
  const Image image = resize(picture(), 224, 224, Interpolation::bicubic);
  for (auto _ : state)
    benchmark::DoNotOptimize(rotate(image, 13, static_cast<Interpolation>(state.range(0)), {124, 116, 104}));
}
BENCHMARK(image_rotate)->ArgName("interpolation")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

void image_prepare(benchmark::State& state) {
  ImageTransform settings{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}, .eval_resize = 256};
  const auto mode = state.range(0) == 0 ? ImagePreparer::Mode::evaluation : ImagePreparer::Mode::training;
  settings.random_resized_crop = settings.horizontal_flip = true;
  if (state.range(0) == 2) {
    settings.rand_augment.ops = 2;
    settings.random_erasing = 0.25;
  }
  const ImagePreparer preparer(settings, mode, 3, 224);
  const Image image = picture();
  std::vector<float> out(3 * 224 * 224);
  std::int64_t item = 0;
  for (auto _ : state) preparer.prepare(image, item_key({1, 0}, item++), out.data());
}
// Evaluation; a random part, mirrored; the same with RandAugment and erasing.
BENCHMARK(image_prepare)->ArgName("recipe")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
