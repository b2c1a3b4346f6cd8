#pragma once

#include <string>
#include <vector>

#include "ff/models/data_loader.h"
#include "ff/models/vision/config.h"

namespace ff::models {

/// Labelled images in memory.
struct ImageSet {
  Tensor images;  ///< u8 (n, channels, size, size)
  Tensor labels;  ///< i64 (n)

  std::int64_t size() const { return labels.numel(); }
};

/// Reads a file of images, u8 (n, h, w) or (n, channels, h, w), and one of labels (n), the first limit of them where
/// limit is not 0. Throws Error naming the files where they do not belong together, or not to the model: other sizes,
/// labels that are no class.
ImageSet load_images(const std::string& images, const std::string& labels, const VisionModelConfig& model,
                     std::int64_t limit = 0);

/// Batches of images, f32 (B, channels, size, size), normalised to (x / 255 - mean) / std, with labels, i64 (B).
class ImageBatches : public BatchSource {
 public:
  enum class Mode {
    training,    ///< shuffled every epoch, augmented as data says; full batches alone, what is left sits out
    evaluation,  ///< in order and as they are, the last batch smaller where there are not enough
  };

  /// Throws Error where there are fewer images than a training batch takes, or none.
  ImageBatches(ImageSet set, const VisionDataConfig& data, Mode mode, std::int64_t batch_size, std::uint64_t seed);

  std::int64_t batches_per_epoch() const override;
  Batch make(DataPosition position) override;

 private:
  // Where an image is cut out of its frame, and whether it is mirrored.
  struct Augmentation {
    std::int64_t down = 0, right = 0;  // from the image's own place
    bool flip = false;
  };

  void make_normalisation();
  void choose_order(std::int64_t epoch);
  Augmentation augmentation(std::int64_t epoch, std::int64_t image) const;
  void copy_image(std::int64_t image, const Augmentation& augmentation, float* out) const;

  ImageSet set_;
  VisionDataConfig data_;
  Mode mode_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  std::vector<float> normalised_;    // (channels, 256): what a byte becomes
  std::int64_t ordered_epoch_ = -1;  // that order_ is of
  std::vector<std::int64_t> order_;
};

}  // namespace ff::models
