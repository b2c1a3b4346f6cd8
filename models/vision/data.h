#pragma once

#include <memory>

#include "ff/models/batch_sampler.h"
#include "ff/models/run_config.h"
#include "ff/models/vision/image_set.h"

namespace ff::models {

/// Batches of images, f32 (B, channels, size, size), prepared as data.transform says, with labels, i64 (B); or, in
/// training with mixup or cutmix, with the probabilities of the classes, f32 (B, classes).
class ImageBatches : public BatchSource {
 public:
  using Mode = ImagePreparer::Mode;

  /// Training: shuffled every epoch and augmented; full batches alone, what is left sits out. With data.repeats each
  /// image comes so many times in a row, each time augmented anew, and an epoch goes through as many fewer images: it
  /// is as long as ever (Hoffer et al. 2020, as DeiT does it).
  /// Evaluation: in order, the last batch smaller where there are not enough.
  /// An image that cannot be read, and is to be skipped, has the next one in its place in training; in evaluation it is
  /// black and its label -100, which counts for nothing.
  /// Throws Error where there are fewer images than a training batch takes, or none.
  ImageBatches(std::shared_ptr<const ImageSet> set, const VisionConfig& config, Mode mode, std::int64_t batch_size,
               std::uint64_t seed);

  const ImageSet& images() const { return *set_; }
  std::int64_t batches_per_epoch() const override { return sampler_.batches_per_epoch(); }
  Batch make(DataPosition position) override;

 private:
  std::int64_t readable(std::int64_t image, std::shared_ptr<const Image>& to) const;

  std::shared_ptr<const ImageSet> set_;
  ImagePreparer preparer_;
  MixConfig mix_;
  std::int64_t channels_, size_, classes_, repeats_;
  bool training_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  BatchSampler sampler_;
};

}  // namespace ff::models
