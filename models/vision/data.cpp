#include "ff/models/vision/data.h"

#include <algorithm>

#include "ff/core/check.h"
#include "ff/models/data_random.h"

namespace ff::models {
namespace {

constexpr const char* op = "image_batches";
constexpr std::int64_t ignored = -100;  // cross_entropy()'s default

}  // namespace

ImageBatches::ImageBatches(std::shared_ptr<const ImageSet> set, const VisionConfig& config, Mode mode,
                           std::int64_t batch_size, std::uint64_t seed)
    : set_(std::move(set)),
      preparer_(config.data.transform, mode, config.model.channels, config.model.image_size),
      mix_(config.data.mix),
      channels_(config.model.channels),
      size_(config.model.image_size),
      classes_(config.model.classes),
      repeats_(config.data.repeats),
      training_(mode == Mode::training),
      batch_size_(batch_size),
      seed_(seed) {
  check(batch_size_ >= 1, op, "the batch size must be at least 1, got {}", batch_size_);
  const std::int64_t least = training_ ? batch_size_ : 1;
  check(set_->size() >= least, op, "{} images do not make a batch of {}", set_->size(), least);
}

std::int64_t ImageBatches::batches_per_epoch() const {
  return training_ ? set_->size() / batch_size_ : (set_->size() + batch_size_ - 1) / batch_size_;
}

ImageBatches::Order ImageBatches::order(std::int64_t epoch) {
  const std::lock_guard lock(mutex_);
  EpochOrder& kept = orders_[static_cast<std::size_t>(epoch % 2)];
  if (kept.epoch != epoch)
    kept = {epoch, std::make_shared<const std::vector<std::int64_t>>(
                       random_permutation(set_->size(), data_key(seed_, DataStream::order, epoch)))};
  return kept.order;
}

// The first image that can be read, from this one on; which it is.
std::int64_t ImageBatches::readable(std::int64_t image, std::shared_ptr<const Image>& to) const {
  for (std::int64_t tried = 0; tried < set_->size(); ++tried, image = (image + 1) % set_->size())
    if ((to = set_->image(image))) return image;
  fail(op, "none of {} images can be read, {} the first", set_->size(), *set_->unreadable().begin());
}

Batch ImageBatches::make(DataPosition position) {
  check(position.batch >= 0 && position.batch < batches_per_epoch(), op, "no batch {} of {}", position.batch,
        batches_per_epoch());
  const std::int64_t begin = position.batch * batch_size_, n = std::min(batch_size_, set_->size() - begin);
  Batch batch{Tensor::empty({n, channels_, size_, size_}), Tensor::empty({n}, i64), n};
  auto* pixels = batch.inputs.data<float>();
  auto* label = batch.targets.data<std::int64_t>();
  const RandomKey key = data_key(seed_, DataStream::augmentation, position.epoch);
  const Order shuffled = training_ ? order(position.epoch) : nullptr;
  for (std::int64_t place = begin; place < begin + n; ++place, pixels += channels_ * size_ * size_, ++label) {
    std::shared_ptr<const Image> image;
    if (shuffled) {
      const std::int64_t which = readable((*shuffled)[static_cast<std::size_t>(place / repeats_)], image);
      preparer_.prepare(*image, item_key(key, which * repeats_ + place % repeats_), pixels);
      *label = set_->label(which);
    } else if ((image = set_->image(place))) {
      preparer_.prepare(*image, item_key(key, place), pixels);
      *label = set_->label(place);
    } else {
      std::fill(pixels, pixels + channels_ * size_ * size_, 0.0F);
      *label = ignored;
      --batch.count;
    }
  }
  if (training_ && mix_.any()) {
    const RandomKey mixing = item_key(data_key(seed_, DataStream::mixing, position.epoch), position.batch);
    mix_batch(draw_mix(mix_, size_, size_, mixing), classes_, batch);
  }
  return batch;
}

}  // namespace ff::models
