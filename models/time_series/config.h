#pragma once

#include <string>

#include "ff/models/attention_config.h"

namespace ff::models {

/// A transformer that classifies series of measurements.
struct TimeSeriesModelConfig {
  std::int64_t dimensions = 1, length = 128, classes = 2;
  std::int64_t patch_size = 1, stride = 1;
  std::int64_t width = 64, depth = 2, heads = 4;
  double mlp_ratio = 2;
  nn::AttentionOptions attention{.qkv_bias = true};
  double dropout = 0, drop_path = 0;

  void visit(Fields& fields);
};

/// Labelled series, and what is done to those that are trained on.
struct TimeSeriesDataConfig {
  std::string path = ".", train = "TRAIN.ts", test = "TEST.ts";
  double jitter = 0, scaling = 0, time_warp = 0;

  void visit(Fields& fields);
};

}  // namespace ff::models
