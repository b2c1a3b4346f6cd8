#pragma once

#include <string>
#include <vector>

#include "ff/models/attention_config.h"

namespace ff::models {

/// A vision transformer.
struct VisionModelConfig {
  std::int64_t image_size = 28, patch_size = 4, channels = 1, classes = 10;
  std::int64_t width = 64, depth = 4, heads = 4;
  double mlp_ratio = 4;
  bool distilled = false;
  nn::AttentionOptions attention{.qkv_bias = true};
  double dropout = 0, drop_path = 0;

  void visit(Fields& fields);
};

/// Labelled images, and what is done to them.
struct VisionDataConfig {
  enum class Dataset { idx };

  Dataset dataset = Dataset::idx;
  std::string train_images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  std::string train_labels = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz";
  std::string test_images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  std::string test_labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  std::vector<double> mean{0.5}, std{0.5};
  std::int64_t crop_padding = 0;
  bool horizontal_flip = false;
  std::int64_t limit = 0, test_limit = 0;

  void visit(Fields& fields);
};

}  // namespace ff::models
