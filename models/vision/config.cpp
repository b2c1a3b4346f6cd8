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
  f.choice<Dataset>("dataset", dataset,
                    {{"idx", Dataset::idx}, {"cifar10", Dataset::cifar10}, {"folder", Dataset::folder}},
                    "the form of the data: IDX files, as MNIST's; CIFAR-10's binary files; a folder of JPEG and PNG "
                    "files, as ImageNet's");
  f.text("path", path,
         "cifar10: the folder of its files; folder: that of train and of val or test, each with a folder a class");
  f.text("test_part", test_part, "folder: name of the part to test on; empty: val, or else test");
  f.choice<OnError>("on_error", on_error, {{"fail", OnError::fail}, {"skip", OnError::skip}},
                    "folder: what to do with a file that is no image: end the run, or do without and report it");
  f.integer("cache_mib", cache_mib, {.min = 0, .max = 1 << 20},
            "folder: decoded images are held in memory up to so much of each part, in MiB, whichever come first");
  f.integer("workers", workers, {.min = 0, .max = 256},
            "threads that make batches; 0: half as many as compute, at most 8");
  f.text("train_images", train_images, "idx: file of the images to train on, plain or gzip");
  f.text("train_labels", train_labels, "idx: file of their labels");
  f.text("test_images", test_images, "idx: file of the images to test on");
  f.text("test_labels", test_labels, "idx: file of their labels");
  f.integer("limit", limit, {.min = 0},
            "train on so many images alone, the first, or of a folder some from all over it; 0: on all");
  f.integer("test_limit", test_limit, {.min = 0}, "test on so many images alone; 0: on all");
  transform.visit(f);
  f.integer("repeats", repeats, {.min = 1, .max = 1000},
            "times that an image comes in a row in training, each augmented anew; an epoch has as many fewer images");
  mix.visit(f);

  f.require((dataset == Dataset::idx) == path.empty(), "path",
            path.empty() ? "must name the folder of the data" : "IDX files are named by train_images and so on");
}

}  // namespace ff::models
