#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include <doctest/doctest.h>

#include "ff/models/data_random.h"
#include "ff/models/vision/data.h"
#include "ff/models/vision/load_images.h"

#include "tests/support/compare.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

// Images of that size and as many channels, not normalised.
VisionConfig config_of(std::int64_t size, std::int64_t channels, std::int64_t classes) {
  VisionConfig config;
  config.model.image_size = size;
  config.model.channels = channels;
  config.model.classes = classes;
  config.data.transform.mean = {0};
  config.data.transform.std = {1};
  return config;
}

VisionConfig plain(std::int64_t classes = 16) { return config_of(4, 1, classes); }

// n images of 4 x 4 pixels: pixel p of image i is 16 i + p.
std::shared_ptr<const ImageSet> counted_images(std::int64_t n) {
  std::vector<Image> images;
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < n; ++i) {
    labels.push_back(i);
    Image& image = images.emplace_back(Image::black(4, 4, 1));
    for (std::size_t p = 0; p < 16; ++p) image.pixels[p] = static_cast<std::uint8_t>(16 * i + static_cast<int>(p));
  }
  return std::make_shared<const ImageSet>(std::move(images), std::move(labels));
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

TEST_CASE("load_images reads IDX files") {
  const TempDir dir;
  VisionConfig config = config_of(2, 1, 3);
  const std::string pixels = "abcdefghijkl";
  config.data.train_images = dir.write("images", idx_file(8, {3, 2, 2}, pixels));
  config.data.train_labels = dir.write("labels", gzip(idx_file(8, {3}, std::string("\x00\x02\x01", 3))));
  const auto set = load_images(config, ImagePart::train, {});
  CHECK(set->size() == 3);
  CHECK((set->label(0) == 0 && set->label(1) == 2 && set->label(2) == 1));
  const auto image = set->image(1);
  CHECK((image->height == 2 && image->width == 2 && image->channels == 1));
  CHECK(image->pixels == Pixels{'e', 'f', 'g', 'h'});

  config.data.limit = 2;
  CHECK(load_images(config, ImagePart::train, {})->size() == 2);
  config.data.limit = 9;
  CHECK(load_images(config, ImagePart::train, {})->size() == 3);

  // Planes become pixels of three channels.
  config = config_of(2, 3, 3);
  config.data.test_images = dir.write("colour", idx_file(8, {1, 3, 2, 2}, pixels));
  config.data.test_labels = dir.write("one", idx_file(8, {1}, std::string(1, '\2')));
  CHECK(load_images(config, ImagePart::test, {})->image(0)->pixels ==
        Pixels{'a', 'e', 'i', 'b', 'f', 'j', 'c', 'g', 'k', 'd', 'h', 'l'});
}

TEST_CASE("load_images refuses IDX files that do not belong together or to the model") {
  const TempDir dir;
  const std::string images = dir.write("images", idx_file(8, {3, 2, 2}, "abcdefghijkl"));
  const std::string labels = dir.write("labels", idx_file(8, {3}, std::string("\x00\x02\x01", 3)));
  const std::string two = dir.write("two", idx_file(8, {2}, std::string("\x00\x01", 2)));
  auto error = [](const std::string& i, const std::string& l, VisionConfig config) {
    config.data.train_images = i, config.data.train_labels = l;
    return error_of([&] { load_images(config, ImagePart::train, {}); });
  };
  const auto config = config_of(2, 1, 3);
  CHECK(contains(error(images, two, config), {"[load_images]", images + " holds 3 images", two + " holds 2 labels"}));
  CHECK(contains(error(images, labels, config_of(2, 1, 2)), {labels, "label 1 is 2", "classes 0 to 1"}));
  CHECK(contains(error(images, labels, config_of(28, 1, 3)), {images, "2 x 2 pixels", "28 x 28"}));
  CHECK(contains(error(images, labels, config_of(2, 3, 3)), {images, "1 channels", "3 channels"}));
  CHECK(contains(error(labels, labels, config), {labels, "images must be (n, h, w)"}));
  CHECK(contains(error(images, images, config), {images, "labels must be integers (n)"}));
  const std::string negative = dir.write("negative", idx_file(9, {3}, std::string("\x00\xff\x01", 3)));
  CHECK(contains(error(images, negative, config), {negative, "label 1 is -1"}));
  const std::string floats = dir.write("floats", idx_file(0x0D, {1, 2, 2}, std::string(16, '\0')));
  CHECK(contains(error(floats, labels, config), {floats, "images must be bytes, got f32"}));
  CHECK(contains(error(dir.path("none"), labels, config), {"none", "cannot be opened"}));
  VisionConfig resized = config_of(28, 1, 3);
  resized.data.transform.eval_resize = 28;
  CHECK(error(images, labels, resized) == "(no error)");
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

TEST_CASE("image batches: training shuffles every epoch anew, by the seed alone") {
  const auto set = counted_images(10);
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
                 {"10 samples do not make a batch of 11"}));
}

TEST_CASE("image batches: augmentation moves and mirrors whole images, by seed, epoch and image alone") {
  const std::int64_t n = 15;
  const auto set = counted_images(n);
  VisionConfig data = plain();
  data.data.transform.crop_padding = 1;
  data.data.transform.horizontal_flip = true;
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

TEST_CASE("image batches: several threads at once make what one makes") {
  VisionConfig config = plain();
  config.data.transform.crop_padding = 2;
  config.data.mix = {.mixup = 0.8, .cutmix = 1};
  const auto inputs_of = [&](int workers) {
    const auto source = std::make_shared<ImageBatches>(counted_images(16), config, Mode::training, 5, 3);
    DataLoader loader(source, {.end_epoch = 4, .workers = workers});
    std::vector<float> all;
    while (const auto batch = loader.next()) {
      for (float x : batch->inputs.to_vector<float>()) all.push_back(x);
      for (float x : batch->targets.to_vector<float>()) all.push_back(x);
    }
    return all;
  };
  const auto one = inputs_of(1);
  CHECK(one.size() == 4 * 3 * 5 * (16 + 16));
  CHECK(same_bits(inputs_of(4), one));
}

TEST_CASE("image batches: repeats show an image several times in a row, each time another way") {
  VisionConfig config = plain();
  config.data.transform.crop_padding = 2;
  config.data.repeats = 3;
  ImageBatches batches(counted_images(12), config, Mode::training, 6, 5);
  CHECK(batches.batches_per_epoch() == 2);
  std::set<std::int64_t> shown;
  int differing = 0;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    std::set<std::int64_t> in_epoch;
    for (std::int64_t b = 0; b < 2; ++b) {
      const Batch batch = batches.make({epoch, b});
      const auto labels = batch.targets.to_vector<std::int64_t>();
      const auto bytes = bytes_of_batch(batch);
      for (std::size_t i = 0; i < 6; i += 3) {
        CHECK((labels[i] == labels[i + 1] && labels[i] == labels[i + 2]));
        in_epoch.insert(labels[i]);
        differing += !std::equal(bytes.begin() + 16 * static_cast<std::ptrdiff_t>(i),
                                 bytes.begin() + 16 * static_cast<std::ptrdiff_t>(i + 1),
                                 bytes.begin() + 16 * static_cast<std::ptrdiff_t>(i + 1));
      }
    }
    CHECK(in_epoch.size() == 4);  // a third of them
    shown.insert(in_epoch.begin(), in_epoch.end());
  }
  CHECK(shown.size() > 8);
  CHECK(differing > 25);  // of 32; one in 25 pairs of crops is alike
  const ImageBatches evaluation(counted_images(12), config, Mode::evaluation, 6, 5);
  CHECK(evaluation.batches_per_epoch() == 2);
}

TEST_CASE("image batches: mixed batches have probabilities for targets, in training alone") {
  VisionConfig config = plain();
  config.data.mix = {.mixup = 0.8, .cutmix = 1};
  ImageBatches training(counted_images(8), config, Mode::training, 8, 5);
  int cut = 0, blended = 0;
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const Batch batch = training.make({epoch, 0});
    REQUIRE(batch.targets.shape() == Shape{8, 16});
    const auto p = batch.targets.to_vector<float>();
    for (std::size_t row = 0; row < 8; ++row) {
      const auto begin = p.begin() + 16 * static_cast<std::ptrdiff_t>(row);
      CHECK(std::accumulate(begin, begin + 16, 0.0) == doctest::Approx(1));
      CHECK(16 - std::count(begin, begin + 16, 0.0F) <= 2);
    }
    // Pixels of whole bytes: cut out, not blended.
    const auto x = batch.inputs.to_vector<float>();
    const bool whole =
        std::all_of(x.begin(), x.end(), [](float v) { return std::abs(v * 255 - std::round(v * 255)) < 1e-3; });
    ++(whole ? cut : blended);
  }
  CHECK((cut > 3 && blended > 3));
  CHECK(ImageBatches(counted_images(8), config, Mode::evaluation, 8, 5).make({0, 0}).targets.dtype() == i64);
}

TEST_CASE("load_images: Fashion-MNIST as Debian ships it") {
  const VisionConfig config;
  if (!std::filesystem::exists(config.data.test_images)) {
    MESSAGE("skipped: ", config.data.test_images, " is not there (package dataset-fashion-mnist)");
    return;
  }
  const auto set = load_images(config, ImagePart::test, {});
  CHECK(set->size() == 10000);
  CHECK(set->image(9999)->pixels.size() == 28 * 28);
  CHECK(ImageBatches(set, config, Mode::training, 128, 1).batches_per_epoch() == 78);
}
