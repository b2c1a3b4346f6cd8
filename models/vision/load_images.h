#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ff/models/run_config.h"
#include "ff/models/vision/image_set.h"

namespace ff::models {

enum class ImagePart { train, test };

/// The names of the classes that there are to train on, in the order of their labels; none where the data do not name
/// them. Throws Error where data.path does not hold them.
std::vector<std::string> image_classes(const VisionDataConfig& data);

/// The images of a part of the data that config describes, whose classes have these names. IDX files and CIFAR-10 are
/// read whole, of a folder of images the names alone. Throws Error naming a file where it cannot be read or is not for
/// the model: other channels, labels that are no class, or, in IDX files and CIFAR-10, another size, unless the images
/// are to be resized (data.eval_resize, data.random_resized_crop).
std::shared_ptr<const ImageSet> load_images(const VisionConfig& config, ImagePart part,
                                            const std::vector<std::string>& classes);

}  // namespace ff::models
