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
      seed_(seed),
      sampler_(op, set_->size(),
               {.batch_size = batch_size, .shuffle = training_, .seed = seed, .repeats = training_ ? repeats_ : 1}) {}

// The first image that can be read, from this one on; which it is.
std::int64_t ImageBatches::readable(std::int64_t image, std::shared_ptr<const Image>& to) const {
  for (std::int64_t tried = 0; tried < set_->size(); ++tried, image = (image + 1) % set_->size())
    if ((to = set_->image(image))) return image;
  fail(op, "none of {} images can be read, {} the first", set_->size(), *set_->unreadable().begin());
}

Batch ImageBatches::make(DataPosition position) {
  const std::vector<std::int64_t> samples = sampler_.samples(position);
  const auto n = static_cast<std::int64_t>(samples.size());
  Batch batch{Tensor::empty({n, channels_, size_, size_}), Tensor::empty({n}, i64), n};
  auto* pixels = batch.inputs.data<float>();
  auto* label = batch.targets.data<std::int64_t>();
  const RandomKey key = data_key(seed_, DataStream::augmentation, position.epoch);
  std::int64_t place = position.batch * batch_size_;
  for (std::int64_t which : samples) {
    std::shared_ptr<const Image> image;
    if (training_) {
      which = readable(which, image);
      preparer_.prepare(*image, item_key(key, which * repeats_ + place % repeats_), pixels);
      *label = set_->label(which);
    } else if ((image = set_->image(which))) {
      preparer_.prepare(*image, item_key(key, which), pixels);
      *label = set_->label(which);
    } else {
      std::fill(pixels, pixels + channels_ * size_ * size_, 0.0F);
      *label = ignored;
      --batch.count;
    }
    pixels += channels_ * size_ * size_;
    ++label, ++place;
  }
  if (training_ && mix_.any()) {
    const RandomKey mixing = item_key(data_key(seed_, DataStream::mixing, position.epoch), position.batch);
    mix_batch(draw_mix(mix_, size_, size_, mixing), classes_, batch);
  }
  return batch;
}

}  // namespace ff::models
