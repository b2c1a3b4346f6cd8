#include "ff/models/vision/data.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/core/io/idx.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

constexpr const char* op = "load_images";

// The file's images as (n, channels, size, size).
Tensor read_images(const std::string& path, const VisionModelConfig& model) {
  const Tensor images = load_idx(path);
  check(images.dtype() == u8, op, "{}: images must be bytes, got {}", path, name(images.dtype()));
  check(images.rank() == 3 || images.rank() == 4, op, "{}: images must be (n, h, w) or (n, channels, h, w), got {}",
        path, images.shape().str());
  Shape shape = images.shape();
  if (shape.rank() == 3) shape.insert(1, 1);
  check(shape[1] == model.channels && shape[2] == model.image_size && shape[3] == model.image_size, op,
        "{}: {} images of {} channels, {} x {} pixels, but the model takes {} channels, {} x {}", path, shape[0],
        shape[1], shape[2], shape[3], model.channels, model.image_size, model.image_size);
  return images.as_strided(shape, contiguous_strides(shape));
}

// The file's labels as i64 (n), each a class.
Tensor read_labels(const std::string& path, std::int64_t classes) {
  const Tensor read = load_idx(path);
  check(!is_floating(read.dtype()) && read.rank() == 1, op, "{}: labels must be integers (n), got {} {}", path,
        name(read.dtype()), read.shape().str());
  const std::vector<std::int64_t> labels = read.to_vector<std::int64_t>();
  const auto bad = std::find_if(labels.begin(), labels.end(), [&](std::int64_t l) { return l < 0 || l >= classes; });
  if (bad != labels.end())
    fail(op, "{}: label {} is {}, but the model has classes 0 to {}", path, bad - labels.begin(), *bad, classes - 1);
  return Tensor::from(labels, read.shape());
}

Tensor first(const Tensor& x, std::int64_t n) {
  Shape shape = x.shape();
  shape[0] = n;
  return x.as_strided(shape, x.strides());
}

}  // namespace

ImageSet load_images(const std::string& images, const std::string& labels, const VisionModelConfig& model,
                     std::int64_t limit) {
  ImageSet set{read_images(images, model), read_labels(labels, model.classes)};
  const std::int64_t n = set.images.size(0);
  check(n == set.size(), op, "{} holds {} images, but {} holds {} labels", images, n, labels, set.size());
  if (limit > 0 && limit < n) set = {first(set.images, limit), first(set.labels, limit)};
  return set;
}

ImageBatches::ImageBatches(ImageSet set, const VisionDataConfig& data, Mode mode, std::int64_t batch_size,
                           std::uint64_t seed)
    : set_(std::move(set)), data_(data), mode_(mode), batch_size_(batch_size), seed_(seed) {
  check(batch_size_ >= 1, "image_batches", "the batch size must be at least 1, got {}", batch_size_);
  const std::int64_t least = mode_ == Mode::training ? batch_size_ : 1;
  check(set_.size() >= least, "image_batches", "{} images do not make a batch of {}", set_.size(), least);
  make_normalisation();
}

void ImageBatches::make_normalisation() {
  const auto channels = static_cast<std::size_t>(set_.images.size(1));
  auto of_channel = [&](const std::vector<double>& values, std::size_t c, const char* what) {
    check(values.size() == 1 || values.size() == channels, "image_batches", "{} numbers of {} for {} channels",
          values.size(), what, channels);
    return values[values.size() == 1 ? 0 : c];
  };
  for (std::size_t c = 0; c < channels; ++c) {
    const double mean = of_channel(data_.mean, c, "mean"), deviation = of_channel(data_.std, c, "std");
    for (int byte = 0; byte < 256; ++byte) normalised_.push_back(static_cast<float>((byte / 255.0 - mean) / deviation));
  }
}

std::int64_t ImageBatches::batches_per_epoch() const {
  return mode_ == Mode::training ? set_.size() / batch_size_ : (set_.size() + batch_size_ - 1) / batch_size_;
}

void ImageBatches::choose_order(std::int64_t epoch) {
  if (ordered_epoch_ == epoch) return;
  order_ = random_permutation(set_.size(), data_key(seed_, DataStream::order, epoch));
  ordered_epoch_ = epoch;
}

ImageBatches::Augmentation ImageBatches::augmentation(std::int64_t epoch, std::int64_t image) const {
  if (mode_ == Mode::evaluation || (data_.crop_padding == 0 && !data_.horizontal_flip)) return {};
  const RandomKey key = data_key(seed_, DataStream::augmentation, epoch);
  const auto draw = 4 * static_cast<std::uint64_t>(image);  // four numbers are each image's own
  const std::int64_t padding = data_.crop_padding;
  return {random_below(key, draw, 2 * padding + 1) - padding, random_below(key, draw + 1, 2 * padding + 1) - padding,
          data_.horizontal_flip && random_below(key, draw + 2, 2) == 1};
}

void ImageBatches::copy_image(std::int64_t image, const Augmentation& by, float* out) const {
  const std::int64_t channels = set_.images.size(1), height = set_.images.size(2), width = set_.images.size(3);
  const std::uint8_t* in = set_.images.data<std::uint8_t>() + image * channels * height * width;
  for (std::int64_t c = 0; c < channels; ++c, in += height * width) {
    const float* table = normalised_.data() + c * 256;
    for (std::int64_t y = 0; y < height; ++y, out += width) {
      const std::int64_t row = y + by.down;
      if (row < 0 || row >= height) {
        std::fill(out, out + width, table[0]);
        continue;
      }
      for (std::int64_t x = 0; x < width; ++x) {
        const std::int64_t column = (by.flip ? width - 1 - x : x) + by.right;
        out[x] = column < 0 || column >= width ? table[0] : table[in[row * width + column]];
      }
    }
  }
}

Batch ImageBatches::make(DataPosition position) {
  check(position.batch >= 0 && position.batch < batches_per_epoch(), "image_batches", "no batch {} of {}",
        position.batch, batches_per_epoch());
  const std::int64_t begin = position.batch * batch_size_, n = std::min(batch_size_, set_.size() - begin);
  if (mode_ == Mode::training) choose_order(position.epoch);
  Shape shape = set_.images.shape();
  shape[0] = n;
  Batch batch{Tensor::empty(shape, f32), Tensor::empty({n}, i64), n};
  const std::int64_t pixels = shape.numel() / n;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t image = mode_ == Mode::training ? order_[static_cast<std::size_t>(begin + i)] : begin + i;
    copy_image(image, augmentation(position.epoch, image), batch.inputs.data<float>() + i * pixels);
    batch.targets.data<std::int64_t>()[i] = set_.labels.data<std::int64_t>()[image];
  }
  return batch;
}

}  // namespace ff::models
