#include "ff/models/vision/config.h"

#include <fmt/format.h>

namespace ff::models {

void VisionModelConfig::visit(Fields& f) {
  f.integer("image_size", image_size, {.min = 1}, "side of an image, pixels");
  f.integer("patch_size", patch_size, {.min = 1}, "side of a patch, pixels");
  f.integer("channels", channels, {.min = 1}, "1 for grey images, 3 for colour");
  f.integer("classes", classes, {.min = 2}, "how many classes there are");
  f.integer("width", width, {.min = 1}, "features of a token");
  f.integer("depth", depth, {.min = 1}, "blocks");
  f.integer("heads", heads, {.min = 1}, "attention heads of a block");
  f.number("mlp_ratio", mlp_ratio, {.above = 0}, "inner width of the feed-forward part, in widths");
  f.flag("distilled", distilled, "whether there is a second token and head, for a teacher's answers");
  visit_attention(f, attention);
  f.number("dropout", dropout, {.min = 0, .below = 1},
           "share dropped of the embedding, the attention's output and the feed-forward part");
  f.number("drop_path", drop_path, {.min = 0, .below = 1},
           "share of the images that skip a branch of the last block; rises from 0 in the first (stochastic depth)");

  f.require(image_size % patch_size == 0, "patch_size",
            fmt::format("a patch of {} does not divide image_size {}", patch_size, image_size));
  f.require(width % heads == 0, "heads", fmt::format("{} heads do not divide width {}", heads, width));
  f.require(mlp_ratio * static_cast<double>(width) >= 1, "mlp_ratio",
            fmt::format("{} of width {} leaves no feature", mlp_ratio, width));
}

void VisionDataConfig::visit(Fields& f) {
  f.choice<Dataset>("dataset", dataset, {{"idx", Dataset::idx}}, "the form of the data: IDX files, as MNIST's");
  f.text("train_images", train_images, "file of the images to train on, plain or gzip");
  f.text("train_labels", train_labels, "file of their labels");
  f.text("test_images", test_images, "file of the images to test on");
  f.text("test_labels", test_labels, "file of their labels");
  f.numbers("mean", mean, {.min = 0, .max = 1}, 1, 16,
            "mean of a channel, of values from 0 to 1: one, or one a channel");
  f.numbers("std", std, {.above = 0}, 1, 16, "standard deviation of a channel");
  f.integer("crop_padding", crop_padding, {.min = 0, .max = 1024},
            "black pixels put around a training image before it is cut back to its size at random");
  f.flag("horizontal_flip", horizontal_flip, "whether training images are mirrored half of the time");
  f.integer("limit", limit, {.min = 0}, "train on the first so many images alone; 0: on all");
  f.integer("test_limit", test_limit, {.min = 0}, "test on the first so many images alone; 0: on all");
}

}  // namespace ff::models
