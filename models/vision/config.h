#pragma once

#include <string>

#include "ff/models/attention_config.h"
#include "ff/models/vision/mix.h"
#include "ff/models/vision/transform.h"

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
  enum class Dataset { idx, cifar10, folder };
  enum class OnError { fail, skip };

  Dataset dataset = Dataset::idx;
  std::string train_images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";
  std::string train_labels = "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz";
  std::string test_images = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";
  std::string test_labels = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz";
  std::string path, test_part;
  OnError on_error = OnError::fail;
  std::int64_t cache_mib = 1024, workers = 0;
  std::int64_t limit = 0, test_limit = 0;
  ImageTransform transform;
  std::int64_t repeats = 1;
  MixConfig mix;

  void visit(Fields& fields);
};

}  // namespace ff::models
