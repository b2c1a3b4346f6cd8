#include "ff/models/vision/load_images.h"

#include <algorithm>
#include <filesystem>

#include "ff/core/allocator.h"
#include "ff/core/check.h"
#include "ff/core/io/idx.h"
#include "ff/models/vision/cifar.h"
#include "ff/models/vision/image_folder.h"

namespace ff::models {
namespace {

constexpr const char* op = "load_images";

void check_channels_and_size(const std::string& path, std::int64_t count, std::int64_t channels, std::int64_t height,
                             std::int64_t width, const VisionConfig& config) {
  const VisionModelConfig& model = config.model;
  const ImageTransform& transform = config.data.transform;
  const bool resized = transform.eval_resize > 0 || transform.random_resized_crop;
  check(channels == model.channels && (resized || (height == model.image_size && width == model.image_size)), op,
        "{}: {} images of {} channels, {} x {} pixels, but the model takes {} channels, {} x {} (data.eval_resize "
        "makes another size fit)",
        path, count, channels, height, width, model.channels, model.image_size, model.image_size);
}

// The file's images, u8 (n, h, w) or (n, channels, h, w), the first limit of them where limit is not 0.
std::vector<Image> read_images(const std::string& path, const VisionConfig& config) {
  const Tensor read = load_idx(path);
  check(read.dtype() == u8, op, "{}: images must be bytes, got {}", path, name(read.dtype()));
  check(read.rank() == 3 || read.rank() == 4, op, "{}: images must be (n, h, w) or (n, channels, h, w), got {}", path,
        read.shape().str());
  Shape shape = read.shape();
  if (shape.rank() == 3) shape.insert(1, 1);
  check_channels_and_size(path, shape[0], shape[1], shape[2], shape[3], config);
  std::vector<Image> images;
  const auto* pixels = read.data<std::uint8_t>();
  for (std::int64_t i = 0; i < shape[0]; ++i)
    images.push_back(image_of_planes(pixels + i * shape[1] * shape[2] * shape[3], shape[1], shape[2], shape[3]));
  return images;
}

// The file's labels, each a class.
std::vector<std::int64_t> read_labels(const std::string& path, std::int64_t classes) {
  const Tensor read = load_idx(path);
  check(!is_floating(read.dtype()) && read.rank() == 1, op, "{}: labels must be integers (n), got {} {}", path,
        name(read.dtype()), read.shape().str());
  std::vector<std::int64_t> labels = read.to_vector<std::int64_t>();
  const auto bad = std::find_if(labels.begin(), labels.end(), [&](std::int64_t l) { return l < 0 || l >= classes; });
  if (bad != labels.end())
    fail(op, "{}: label {} is {}, but the model has classes 0 to {}", path, bad - labels.begin(), *bad, classes - 1);
  return labels;
}

std::shared_ptr<const ImageSet> in_memory(std::vector<Image> images, std::vector<std::int64_t> labels,
                                          std::int64_t limit) {
  const auto n = static_cast<std::size_t>(limit);
  if (n > 0 && n < labels.size()) images.resize(n), labels.resize(n);
  return std::make_shared<const ImageSet>(std::move(images), std::move(labels));
}

std::shared_ptr<const ImageSet> load_idx_images(const VisionConfig& config, ImagePart part, std::int64_t limit) {
  const VisionDataConfig& data = config.data;
  const bool train = part == ImagePart::train;
  const std::string &image_file = train ? data.train_images : data.test_images,
                    &label_file = train ? data.train_labels : data.test_labels;
  std::vector<Image> images = read_images(image_file, config);
  empty_cache();  // of the tensor that was read: nothing else is as large
  std::vector<std::int64_t> labels = read_labels(label_file, config.model.classes);
  check(images.size() == labels.size(), op, "{} holds {} images, but {} holds {} labels", image_file, images.size(),
        label_file, labels.size());
  return in_memory(std::move(images), std::move(labels), limit);
}

std::shared_ptr<const ImageSet> load_cifar10_images(const VisionConfig& config, ImagePart part, std::int64_t limit) {
  const std::string& folder = config.data.path;
  CifarImages read;
  for (const std::string& file : cifar10_files(folder, part == ImagePart::train)) read_cifar10(file, read);
  const Image& first = read.images.front();
  check_channels_and_size(folder, static_cast<std::int64_t>(read.images.size()), first.channels, first.height,
                          first.width, config);
  check(config.model.classes == 10, op, "{}: CIFAR-10 has 10 classes, the model {}", folder, config.model.classes);
  return in_memory(std::move(read.images), std::move(read.labels), limit);
}

std::string train_folder(const VisionDataConfig& data) { return data.path + "/train"; }

std::string test_folder(const VisionDataConfig& data) {
  if (!data.test_part.empty()) return data.path + "/" + data.test_part;
  for (const char* name : {"/val", "/test"})
    if (std::filesystem::is_directory(data.path + name)) return data.path + name;
  fail(op, "{}: neither val nor test, the folder of images to test on, is there", data.path);
}

}  // namespace

std::vector<std::string> image_classes(const VisionDataConfig& data) {
  return data.dataset == VisionDataConfig::Dataset::folder ? image_classes(train_folder(data))
                                                           : std::vector<std::string>{};
}

std::shared_ptr<const ImageSet> load_images(const VisionConfig& config, ImagePart part,
                                            const std::vector<std::string>& classes) {
  const VisionDataConfig& data = config.data;
  const std::int64_t limit = part == ImagePart::train ? data.limit : data.test_limit;
  if (data.dataset == VisionDataConfig::Dataset::idx) return load_idx_images(config, part, limit);
  if (data.dataset == VisionDataConfig::Dataset::cifar10) return load_cifar10_images(config, part, limit);
  const std::string folder = part == ImagePart::train ? train_folder(data) : test_folder(data);
  check(static_cast<std::int64_t>(classes.size()) == config.model.classes, op,
        "{}: {} classes, a folder each, but model.classes is {}", data.path, classes.size(), config.model.classes);
  return open_image_folder(folder, classes,
                           {.channels = config.model.channels,
                            .cache_bytes = static_cast<std::uint64_t>(data.cache_mib) << 20,
                            .skip_unreadable = data.on_error == VisionDataConfig::OnError::skip},
                           limit);
}

}  // namespace ff::models
