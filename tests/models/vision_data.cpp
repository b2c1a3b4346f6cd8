#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <doctest/doctest.h>

#include "ff/models/data_random.h"
#include "ff/models/vision/data.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

VisionModelConfig model_of(std::int64_t size, std::int64_t channels, std::int64_t classes) {
  VisionModelConfig model;
  model.image_size = size;
  model.channels = channels;
  model.classes = classes;
  return model;
}

VisionDataConfig plain() {
  VisionDataConfig data;
  data.mean = {0};
  data.std = {1};
  return data;
}

// n images of 4 x 4 pixels: pixel p of image i is 16 i + p.
ImageSet counted_images(std::int64_t n) {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) {
    labels.push_back(i);
    for (std::int64_t p = 0; p < 16; ++p) pixels.push_back(static_cast<std::uint8_t>(16 * i + p));
  }
  return {Tensor::from(pixels, {n, 1, 4, 4}), Tensor::from(labels, {n})};
}

std::vector<int> bytes_of_batch(const Batch& batch) {
  std::vector<int> bytes;
  for (float value : batch.inputs.to_vector<float>()) bytes.push_back(static_cast<int>(std::lround(value * 255)));
  return bytes;
}

using Mode = ImageBatches::Mode;

}  // namespace

TEST_CASE("random_permutation: a permutation that the key alone decides") {
  const RandomKey key = data_key(5, DataStream::order, 3);
  const auto order = random_permutation(1000, key);
  CHECK(order == random_permutation(1000, data_key(5, DataStream::order, 3)));
  CHECK(std::set<std::int64_t>(order.begin(), order.end()).size() == 1000);
  CHECK(*std::min_element(order.begin(), order.end()) == 0);
  CHECK(order != random_permutation(1000, data_key(5, DataStream::order, 4)));
  CHECK(order != random_permutation(1000, data_key(6, DataStream::order, 3)));
  CHECK(order != random_permutation(1000, data_key(5, DataStream::windows, 3)));
  CHECK(random_permutation(0, key).empty());
  CHECK(random_permutation(1, key) == std::vector<std::int64_t>{0});
}

TEST_CASE("random_permutation: every order of three comes equally often") {
  std::map<std::vector<std::int64_t>, int> counts;
  const int trials = 6000;
  for (int i = 0; i < trials; ++i) ++counts[random_permutation(3, data_key(1, DataStream::order, i))];
  REQUIRE(counts.size() == 6);
  for (const auto& [order, count] : counts) CHECK(std::abs(count - 1000) < 150);  // five standard deviations
}

TEST_CASE("load_images reads images and labels") {
  const TempDir dir;
  const std::string pixels = "abcdefghijkl", labels("\x00\x02\x01", 3);
  const std::string images = dir.write("images", idx_file(8, {3, 2, 2}, pixels)),
                    label_file = dir.write("labels", gzip(idx_file(8, {3}, labels)));
  const ImageSet set = load_images(images, label_file, model_of(2, 1, 3));
  CHECK(set.images.shape() == Shape{3, 1, 2, 2});
  CHECK(set.images.dtype() == u8);
  CHECK(same_bits(set.labels.to_vector<std::int64_t>(), std::vector<std::int64_t>{0, 2, 1}));
  CHECK(set.images.data<std::uint8_t>()[4] == 'e');

  const ImageSet two = load_images(images, label_file, model_of(2, 1, 3), 2);
  CHECK(two.size() == 2);
  CHECK(two.images.shape() == Shape{2, 1, 2, 2});
  CHECK(load_images(images, label_file, model_of(2, 1, 3), 9).size() == 3);

  const std::string colour = dir.write("colour", idx_file(8, {3, 3, 2, 2}, pixels + pixels + pixels));
  CHECK(load_images(colour, label_file, model_of(2, 3, 3)).images.shape() == Shape{3, 3, 2, 2});
}

TEST_CASE("load_images refuses files that do not belong together or to the model") {
  const TempDir dir;
  const std::string images = dir.write("images", idx_file(8, {3, 2, 2}, "abcdefghijkl"));
  const std::string labels = dir.write("labels", idx_file(8, {3}, std::string("\x00\x02\x01", 3)));
  const std::string two = dir.write("two", idx_file(8, {2}, std::string("\x00\x01", 2)));
  auto error = [](const std::string& i, const std::string& l, const VisionModelConfig& model) {
    return error_of([&] { load_images(i, l, model); });
  };
  const auto model = model_of(2, 1, 3);
  CHECK(contains(error(images, two, model), {"[load_images]", images + " holds 3 images", two + " holds 2 labels"}));
  CHECK(contains(error(images, labels, model_of(2, 1, 2)), {labels, "label 1 is 2", "classes 0 to 1"}));
  CHECK(contains(error(images, labels, model_of(28, 1, 3)), {images, "2 x 2 pixels", "28 x 28"}));
  CHECK(contains(error(images, labels, model_of(2, 3, 3)), {images, "1 channels", "3 channels"}));
  CHECK(contains(error(labels, labels, model), {labels, "images must be (n, h, w)"}));
  CHECK(contains(error(images, images, model), {images, "labels must be integers (n)"}));
  const std::string negative = dir.write("negative", idx_file(9, {3}, std::string("\x00\xff\x01", 3)));
  CHECK(contains(error(images, negative, model), {negative, "label 1 is -1"}));
  const std::string floats = dir.write("floats", idx_file(0x0D, {1, 2, 2}, std::string(16, '\0')));
  CHECK(contains(error(floats, labels, model), {floats, "images must be bytes, got f32"}));
  CHECK(contains(error(dir.path("none"), labels, model), {"none", "cannot be opened"}));
}

TEST_CASE("image batches: evaluation goes through all images in order") {
  ImageBatches batches(counted_images(7), plain(), Mode::evaluation, 3, 1);
  CHECK(batches.batches_per_epoch() == 3);
  std::vector<int> bytes;
  std::vector<std::int64_t> labels;
  for (std::int64_t b = 0; b < 3; ++b) {
    const Batch batch = batches.make({0, b});
    CHECK(batch.inputs.shape() == Shape{b < 2 ? 3 : 1, 1, 4, 4});
    CHECK(batch.count == batch.targets.numel());
    for (int byte : bytes_of_batch(batch)) bytes.push_back(byte);
    for (auto label : batch.targets.to_vector<std::int64_t>()) labels.push_back(label);
  }
  for (int i = 0; i < 7 * 16; ++i) CHECK(bytes[static_cast<std::size_t>(i)] == i);
  CHECK(labels == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(contains(error_of([&] { batches.make({0, 3}); }), {"[image_batches]", "no batch 3 of 3"}));
}

TEST_CASE("image batches: bytes are normalised by channel") {
  VisionDataConfig data;
  data.mean = {0.5, 0.25};
  data.std = {0.5, 2};
  const ImageSet set{Tensor::from(std::vector<std::uint8_t>{0, 255, 51, 102}, {1, 2, 1, 2}),
                     Tensor::from<std::int64_t>({0})};
  const auto got = ImageBatches(set, data, Mode::evaluation, 1, 1).make({0, 0}).inputs.to_vector<float>();
  const auto d = largest_difference(got, std::vector<double>{-1, 1, (0.2 - 0.25) / 2, (0.4 - 0.25) / 2});
  CHECK_MESSAGE(d.absolute < 1e-7, d.str());
  data.mean = {0.5, 0.25, 1};
  CHECK(contains(error_of([&] { ImageBatches(set, data, Mode::evaluation, 1, 1); }),
                 {"3 numbers of mean for 2 channels"}));
}

TEST_CASE("image batches: training shuffles every epoch anew, by the seed alone") {
  const ImageSet set = counted_images(10);
  ImageBatches batches(set, plain(), Mode::training, 3, 42);
  CHECK(batches.batches_per_epoch() == 3);
  auto labels_of = [](ImageBatches& from, std::int64_t epoch) {
    std::vector<std::int64_t> labels;
    for (std::int64_t b = 0; b < 3; ++b) {
      const Batch batch = from.make({epoch, b});
      const std::vector<int> bytes = bytes_of_batch(batch);
      for (std::int64_t i = 0; i < 3; ++i) {
        labels.push_back(batch.targets.data<std::int64_t>()[i]);
        CHECK(bytes[static_cast<std::size_t>(16 * i + 5)] == 16 * labels.back() + 5);  // its own image
      }
    }
    return labels;
  };
  const auto first = labels_of(batches, 0), second = labels_of(batches, 1);
  CHECK(std::set<std::int64_t>(first.begin(), first.end()).size() == 9);
  CHECK(first != second);
  ImageBatches same(set, plain(), Mode::training, 3, 42), other(set, plain(), Mode::training, 3, 43);
  CHECK(labels_of(same, 1) == second);  // without epoch 0 before
  CHECK(labels_of(same, 0) == first);
  CHECK(labels_of(other, 0) != first);
  CHECK(contains(error_of([&] { ImageBatches(set, plain(), Mode::training, 11, 1); }),
                 {"10 images do not make a batch of 11"}));
}

TEST_CASE("image batches: augmentation moves and mirrors whole images, by seed, epoch and image alone") {
  const std::int64_t n = 15;
  const ImageSet set = counted_images(n);
  VisionDataConfig data = plain();
  data.crop_padding = 1;
  data.horizontal_flip = true;
  ImageBatches one(set, data, Mode::training, 1, 7), all(set, data, Mode::training, n, 7);

  // What the image would be at each move, from a plain loop.
  auto moved = [](std::int64_t image, std::int64_t down, std::int64_t right, bool flip) {
    std::vector<int> out;
    for (std::int64_t y = 0; y < 4; ++y)
      for (std::int64_t x = 0; x < 4; ++x) {
        const std::int64_t row = y + down, column = (flip ? 3 - x : x) + right;
        const bool inside = row >= 0 && row < 4 && column >= 0 && column < 4;
        out.push_back(inside ? static_cast<int>(16 * image + 4 * row + column) : 0);
      }
    return out;
  };
  std::map<std::tuple<std::int64_t, std::int64_t, bool>, int> seen;
  int like_neighbour = 0;  // how often an image goes down as far as the one before goes right
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    const Batch batch = all.make({epoch, 0});
    const std::vector<int> bytes = bytes_of_batch(batch);
    std::vector<std::pair<std::int64_t, std::int64_t>> moves(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t image = batch.targets.data<std::int64_t>()[i];
      const std::vector<int> got(bytes.begin() + 16 * i, bytes.begin() + 16 * (i + 1));
      int matches = 0;
      for (std::int64_t down : {-1, 0, 1})
        for (std::int64_t right : {-1, 0, 1})
          for (bool flip : {false, true})
            if (moved(image, down, right, flip) == got) {
              ++matches;
              ++seen[{down, right, flip}];
              moves[static_cast<std::size_t>(image)] = {down, right};
            }
      CHECK(matches == 1);
      if (epoch < 2) CHECK(bytes_of_batch(one.make({epoch, i})) == got);  // whatever the batch
    }
    for (std::size_t i = 1; i < moves.size(); ++i) like_neighbour += moves[i].first == moves[i - 1].second;
  }
  CHECK(std::abs(like_neighbour - 40 * (n - 1) / 3) < 60);
  CHECK(seen.size() == 18);
  for (const auto& [how, count] : seen) CHECK(std::abs(count - 600 / 18) < 30);

  ImageBatches evaluation(set, data, Mode::evaluation, n, 7);
  const std::vector<int> bytes = bytes_of_batch(evaluation.make({3, 0}));
  for (int i = 0; i < 16 * n; ++i) CHECK(bytes[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("load_images: Fashion-MNIST as Debian ships it") {
  const VisionDataConfig data;
  if (!std::filesystem::exists(data.test_images)) {
    MESSAGE("skipped: ", data.test_images, " is not there (package dataset-fashion-mnist)");
    return;
  }
  const ImageSet set = load_images(data.test_images, data.test_labels, VisionModelConfig{});
  CHECK(set.images.shape() == Shape{10000, 1, 28, 28});
  CHECK(ImageBatches(set, data, Mode::training, 128, 1).batches_per_epoch() == 78);
}
