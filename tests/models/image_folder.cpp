#include "ff/models/vision/image_folder.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "ff/models/init_from.h"
#include "ff/models/run_folder.h"
#include "ff/models/trainer.h"
#include "ff/models/vision/cifar.h"
#include "ff/models/vision/data.h"
#include "ff/models/vision/load_images.h"

#include "tests/models/train_run.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using namespace ff::models;
using namespace ff::test;

namespace {

namespace fs = std::filesystem;

// A folder of PNG files, image i of a class of the grey 40 class + i, 6 x 8 pixels.
class Folder {
 public:
  void add(const std::string& path, int grey) const {
    fs::create_directories(fs::path(dir.path(path)).parent_path());
    Image image = Image::black(6, 8, 3);
    std::fill(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(grey));
    write_png(dir.path(path), image);
  }
  void add_text(const std::string& path, std::string_view text = "not an image") const {
    fs::create_directories(fs::path(dir.path(path)).parent_path());
    dir.write(path, text);
  }
  // Three classes, cat, dog and emu, of so many images each.
  void add_part(const std::string& part, int each) const {
    int label = 0;
    for (const char* name : {"cat", "dog", "emu"}) {
      for (int i = 0; i < each; ++i) add(part + "/" + name + "/" + std::to_string(i) + ".png", 40 * label + i);
      ++label;
    }
  }
  // The configuration of a small model of it.
  RunConfig config(const Overrides& overrides = {}) const {
    const nlohmann::json json{
        {"task", "vision"},
        {"model", {{"image_size", 8}, {"channels", 3}, {"classes", 3}, {"width", 16}, {"depth", 1}, {"heads", 2}}},
        {"data", {{"dataset", "folder"}, {"path", dir.path("data")}, {"mean", {0.16}}, {"std", {0.13}}}},
        {"train", {{"steps", 80}, {"batch_size", 8}, {"lr", 0.01}}}};
    return RunConfig::read(dir.write("config.json", json.dump()), overrides);
  }

  TempDir dir;
};

const ImageFileOptions skipping{.skip_unreadable = true};

}  // namespace

TEST_CASE("image folder: a folder a class, by name, with what is in it") {
  const Folder folder;
  folder.add_part("train", 2);
  folder.add("train/dog/deeper/9.PNG", 99);
  folder.add_text("train/.hidden/x.png");
  folder.add_text("train/dog/.DS_Store");
  folder.add_text("train/README");  // beside the folders of classes
  const std::string path = folder.dir.path("train");
  const auto classes = image_classes(path);
  CHECK(classes == std::vector<std::string>{"cat", "dog", "emu"});
  const auto set = open_image_folder(path, classes, {});
  CHECK(set->size() == 7);
  std::vector<int> labels, greys;
  for (std::int64_t i = 0; i < set->size(); ++i) {
    labels.push_back(static_cast<int>(set->label(i)));
    greys.push_back(set->image(i)->pixels[0]);
  }
  CHECK(labels == std::vector<int>{0, 0, 1, 1, 1, 2, 2});
  CHECK(greys == std::vector<int>{0, 1, 40, 41, 99, 80, 81});
  const auto grey = open_image_folder(path, classes, {.channels = 1})->image(2);
  CHECK((grey->channels == 1 && grey->height == 6 && grey->width == 8));
  // A limit takes from all classes.
  const auto some = open_image_folder(path, classes, {}, 3);
  CHECK((some->size() == 3 && some->label(0) == 0 && some->label(1) == 1 && some->label(2) == 1));
}

TEST_CASE("image folder: what is wrong is told with its path, or skipped where it may be") {
  const Folder folder;
  const std::string path = folder.dir.path("train");
  CHECK(contains(error_of([&] { image_classes(path); }), {"[image_folder]", path, "cannot be read"}));
  fs::create_directories(path);
  CHECK(contains(error_of([&] { image_classes(path); }), {path, "no folder of a class"}));
  folder.add_part("train", 2);
  const std::vector<std::string> classes{"cat", "dog", "emu"};
  CHECK(contains(error_of([&] { open_image_folder(path, {"cat", "dog"}, {}); }), {path + "/emu", "none of the 2"}));
  fs::create_directories(path + "/cow");
  CHECK(contains(error_of([&] {
                   open_image_folder(path, {"cat", "cow", "dog", "emu"}, skipping);
                 }),
                 {path + "/cow", "no image of this class"}));
  fs::remove(path + "/cow");

  folder.add_text("train/dog/notes.txt");
  CHECK(contains(error_of([&] { open_image_folder(path, classes, {}); }), {path + "/dog/notes.txt", "not the name"}));
  const auto set = open_image_folder(path, classes, skipping);
  CHECK(set->size() == 6);
  CHECK(set->unreadable() == std::set<std::string>{path + "/dog/notes.txt"});
  fs::remove(path + "/dog/notes.txt");

  folder.add_text("train/cat/1.png");
  const std::string png = slurp(path + "/emu/0.png");
  folder.add_text("train/emu/0.png", png.substr(0, png.size() / 2));
  const auto failing = open_image_folder(path, classes, {}), lenient = open_image_folder(path, classes, skipping);
  CHECK(contains(error_of([&] { failing->image(1); }), {"[image]", path + "/cat/1.png"}));
  CHECK(contains(error_of([&] { failing->image(4); }), {"[image]", path + "/emu/0.png"}));
  CHECK(failing->image(0) != nullptr);
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(lenient->image(1) == nullptr);
    CHECK(lenient->image(4) == nullptr);
  }
  CHECK(lenient->unreadable() == std::set<std::string>{path + "/cat/1.png", path + "/emu/0.png"});
}

TEST_CASE("image set: decoded images are held in memory up to a bound") {
  const Folder folder;
  folder.add_part("train", 2);
  const std::string path = folder.dir.path("train");
  constexpr std::uint64_t image = 6 * 8 * 3;
  const auto held = open_image_folder(path, image_classes(path), {.cache_bytes = 2 * image + 1});
  const auto none = open_image_folder(path, image_classes(path), {});
  const auto all = open_image_folder(path, image_classes(path), {.cache_bytes = 100 * image});
  CHECK(held->bytes_to_come() == 0);  // nothing is known of their size
  held->image(0), all->image(0), none->image(0);
  CHECK(held->bytes_to_come() == image + 1);
  CHECK(all->bytes_to_come() == 5 * image);
  CHECK(none->bytes_to_come() == 0);
  for (std::int64_t i = 0; i < 6; ++i) held->image(i), none->image(i), all->image(i);
  CHECK(all->bytes_to_come() == 0);
  fs::remove_all(path);
  CHECK(held->image(0)->pixels[0] == 0);
  CHECK(held->image(1)->pixels[0] == 1);
  CHECK(contains(error_of([&] { held->image(2); }), {"dog/0.png"}));
  CHECK(contains(error_of([&] { none->image(0); }), {"cat/0.png"}));
}

TEST_CASE(
    "image batches: an image that is skipped has the next one in its place; in evaluation it counts for nothing") {
  const Folder folder;
  folder.add_part("data/train", 2);
  folder.add_part("data/val", 2);
  folder.add_text("data/train/dog/0.png");
  folder.add_text("data/val/cat/1.png");
  const VisionConfig config = folder.config({"data.on_error=skip", "data.mean=[0]", "data.std=[1]"}).vision;
  const auto classes = image_classes(config.data);
  ImageBatches training(load_images(config, ImagePart::train, classes), config, ImageBatches::Mode::training, 6, 1);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::multiset<int> greys;
    const Batch batch = training.make({epoch, 0});
    for (std::int64_t i = 0; i < 6; ++i) {
      const int grey = static_cast<int>(std::lround(batch.inputs.data<float>()[i * 3 * 64] * 255));
      CHECK(batch.targets.data<std::int64_t>()[i] == grey / 40);
      greys.insert(grey);
    }
    CHECK(greys == std::multiset<int>{0, 1, 41, 41, 80, 81});
    CHECK(batch.count == 6);
  }
  ImageBatches test(load_images(config, ImagePart::test, classes), config, ImageBatches::Mode::evaluation, 6, 1);
  const Batch batch = test.make({0, 0});
  CHECK(batch.count == 5);
  CHECK(batch.targets.to_vector<std::int64_t>() == std::vector<std::int64_t>{0, -100, 1, 1, 2, 2});

  for (const auto& entry : fs::recursive_directory_iterator(folder.dir.path("data/train")))
    if (entry.is_regular_file()) fs::resize_file(entry.path(), 3);
  ImageBatches bad(load_images(config, ImagePart::train, classes), config, ImageBatches::Mode::training, 6, 1);
  CHECK(contains(error_of([&] { bad.make({0, 0}); }), {"none of 6 images can be read", "cat/0.png"}));
}

TEST_CASE("load_images: which folder is tested on, and classes that do not fit") {
  const Folder folder;
  folder.add_part("data/train", 1);
  folder.add_part("data/test", 2);
  const auto images = [&](const Overrides& overrides) {
    const VisionConfig config = folder.config(overrides).vision;
    return load_images(config, ImagePart::test, image_classes(config.data))->size();
  };
  CHECK(images({}) == 6);
  folder.add_part("data/val", 3);
  CHECK(images({}) == 9);
  CHECK(images({"data.test_part=test"}) == 6);
  CHECK(images({"data.test_limit=4"}) == 4);
  CHECK(contains(error_of([&] { images({"model.classes=10"}); }), {"3 classes", "model.classes is 10"}));
  fs::remove_all(folder.dir.path("data/val"));
  fs::remove_all(folder.dir.path("data/test"));
  CHECK(contains(error_of([&] { images({}); }), {"neither val nor test"}));
  CHECK(contains(error_of([&] { folder.config({"data.path=\"\""}); }), {"data.path", "must name the folder"}));
  CHECK(contains(error_of([&] { folder.config({"data.dataset=idx"}); }), {"data.path", "train_images"}));
}

TEST_CASE("vision task: trains on a folder, reports what it skips, and is fine-tuned from for other classes") {
  const Folder folder;
  folder.add_part("data/train", 8);
  folder.add_part("data/val", 3);
  folder.add_text("data/train/dog/3.png");
  folder.add_text("data/val/dog/note.txt");
  const RunConfig config = folder.config({"data.on_error=skip"});
  const TrainResult result = train_run(config, folder.dir.path("run"));
  CHECK(result.figures.at(1).first == "test_accuracy");
  CHECK(result.figures.at(1).second == 1);
  CHECK(result.figures.size() == 2);  // no five classes
  const RunFolder run(folder.dir.path("run"));
  CHECK(slurp(run.classes()) == "cat\ndog\nemu\n");
  const auto summary = run.read_summary();
  CHECK(summary.at("skipped_files") == 2);
  CHECK(summary.at("skipped").at(0) == folder.dir.path("data/train/dog/3.png"));
  CHECK(summary.at("skipped").at(1) == folder.dir.path("data/val/dog/note.txt"));

  // The outputs of the model would stand for other classes.
  for (const std::string part : {"data/train", "data/val"})
    fs::rename(folder.dir.path(part + "/emu"), folder.dir.path(part + "/bee"));
  const auto renamed = make_training_task(config);
  CHECK(contains(error_of([&] { Trainer(*renamed, config.train, {.folder = &run}).resume(); }),
                 {"[run]", run.path(), "cat, dog, emu", "bee, cat, dog"}));
  for (const std::string part : {"data/train", "data/val"})
    fs::rename(folder.dir.path(part + "/bee"), folder.dir.path(part + "/emu"));

  // Evaluation needs no training images: the run knows its classes.
  fs::remove_all(folder.dir.path("data/train"));
  fs::remove_all(folder.dir.path("data/val/cat"));
  const auto trained = load_trained_task(config, run);
  trained->model().eval();
  CHECK(trained->evaluate([] { return false; }).at(1).second == 1);

  const Folder other;
  other.add_part("data/train", 8);
  other.add_part("data/test", 2);
  other.add("data/train/ant/0.png", 200);
  other.add("data/test/ant/0.png", 200);
  RunConfig tuned = other.config({"model.classes=4", "model.image_size=16", "data.random_resized_crop=true"});
  const auto task = make_training_task(tuned);
  const InitReport report = init_from(task->model(), run.path());
  CHECK(report.loaded.size() > 10);
  CHECK(report.reshaped.size() == 3);  // the head's two, and the positions
  Trainer trainer(*task, tuned.train);
  CHECK(trainer.run().figures.at(1).second > 0.8);
}

TEST_CASE("read_cifar10: records of a label and three planes") {
  const TempDir dir;
  std::string record(1, '\7');
  for (int plane = 0; plane < 3; ++plane)
    for (int i = 0; i < 1024; ++i) record += static_cast<char>(plane == 0 ? i % 200 : 10 * plane);
  CifarImages read;
  read_cifar10(dir.write("one.bin", record), read);
  read_cifar10(dir.write("two.bin", gzip(record + std::string(3073, '\0'))), read);
  CHECK(read.labels == std::vector<std::int64_t>{7, 7, 0});
  REQUIRE(read.images.size() == 3);
  const Image& image = read.images[0];
  CHECK((image.height == 32 && image.width == 32 && image.channels == 3));
  for (std::size_t i : {0, 5, 1023}) {
    CHECK(image.pixels[3 * i] == i % 200);
    CHECK((image.pixels[3 * i + 1] == 10 && image.pixels[3 * i + 2] == 20));
  }
  auto error = [&](const std::string& bytes) {
    return error_of([&] { read_cifar10(dir.write("bad.bin", bytes), read); });
  };
  CHECK(contains(error(""), {"[read_cifar10]", "bad.bin", "record 0 has 0 bytes, not 3073"}));
  CHECK(contains(error(record + "x"), {"bad.bin", "record 1 has 1 bytes"}));
  record[0] = '\12';
  CHECK(contains(error(record), {"bad.bin", "label of record 0 is 10"}));
  CHECK(contains(error_of([&] { read_cifar10(dir.path("none"), read); }), {"none", "cannot be opened"}));
}

TEST_CASE("load_images: CIFAR-10 in its binary files") {
  const TempDir dir;
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"})
    dir.write(std::string(name) + ".bin", std::string(2 * 3073, '\1'));
  dir.write("test_batch.bin", std::string(3073, '\3'));
  VisionConfig config;
  config.model.image_size = 32, config.model.channels = 3, config.model.classes = 10;
  config.data.dataset = VisionDataConfig::Dataset::cifar10;
  config.data.path = dir.path("");
  CHECK(image_classes(config.data).empty());
  CHECK(load_images(config, ImagePart::train, {})->size() == 10);
  const auto test = load_images(config, ImagePart::test, {});
  CHECK((test->size() == 1 && test->label(0) == 3 && test->image(0)->pixels[0] == 3));
  config.model.image_size = 64;
  CHECK(contains(error_of([&] { load_images(config, ImagePart::train, {}); }), {"32 x 32", "64 x 64", "eval_resize"}));
  config.model.image_size = 32, config.model.classes = 9;
  CHECK(contains(error_of([&] { load_images(config, ImagePart::train, {}); }), {"10 classes", "the model 9"}));
}
