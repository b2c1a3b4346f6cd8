#include "ff/models/time_series/config.h"

#include <fmt/format.h>

namespace ff::models {

void TimeSeriesModelConfig::visit(Fields& f) {
  f.integer("dimensions", dimensions, {.min = 1}, "values that are measured at a step");
  f.integer("length", length, {.min = 1}, "steps of the longest series");
  f.integer("classes", classes, {.min = 2}, "how many classes there are");
  f.integer("patch_size", patch_size, {.min = 1}, "steps that make a token");
  f.integer("stride", stride, {.min = 1}, "steps from a token to the next; less than patch_size: they overlap");
  f.integer("width", width, {.min = 1}, "features of a token");
  f.integer("depth", depth, {.min = 1}, "blocks");
  f.integer("heads", heads, {.min = 1}, "attention heads of a block");
  f.number("mlp_ratio", mlp_ratio, {.above = 0}, "inner width of the feed-forward part, in widths");
  visit_attention(f, attention);
  f.number("dropout", dropout, {.min = 0, .below = 1},
           "share dropped of the embedding, the attention's output and the feed-forward part");
  f.number("drop_path", drop_path, {.min = 0, .below = 1},
           "share of the series that skip a branch of the last block; rises from 0 in the first (stochastic depth)");

  f.require(stride <= patch_size, "stride",
            fmt::format("{} leaves out steps between tokens of {}", stride, patch_size));
  f.require(width % heads == 0, "heads", fmt::format("{} heads do not divide width {}", heads, width));
  f.require(mlp_ratio * static_cast<double>(width) >= 1, "mlp_ratio",
            fmt::format("{} of width {} leaves no feature", mlp_ratio, width));
}

void TimeSeriesDataConfig::visit(Fields& f) {
  f.text("path", path, "folder of the two files, which are in the .ts format of the UEA archive");
  f.text("train", train, "name of the file to train on");
  f.text("test", test, "name of the file to test on");
  f.number("jitter", jitter, {.min = 0},
           "deviation of the noise added to training series, in deviations of the dimension");
  f.number("scaling", scaling, {.min = 0},
           "deviation of the logarithm of a factor that each dimension is stretched by");
  f.number(
      "time_warp", time_warp, {.min = 0},
      "deviation of the logarithm of the speed at which a training series is gone through, which varies on the way");
}

}  // namespace ff::models
