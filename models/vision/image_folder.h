#pragma once

#include <string>
#include <vector>

#include "ff/models/vision/image_set.h"

namespace ff::models {

/// The classes of a folder of images in ImageNet's layout: the names of the folders in it, sorted; those that begin
/// with a dot are none. Throws Error where it is no folder, or there are none in it.
std::vector<std::string> image_classes(const std::string& folder);

/// The images of such a folder: the files in the folder of each class and in folders in it, sorted by path, those that
/// begin with a dot left out; labels are indices into classes. Of the files only names are looked at. Throws Error
/// naming the folder of a class that is none of classes, or has no image, and a file that has not the name of an image
/// (.jpg, .jpeg or .png, in any case), unless options.skip_unreadable leaves it out. limit, where it is not 0: so many
/// images at most, from all over the list.
std::shared_ptr<const ImageSet> open_image_folder(const std::string& folder, const std::vector<std::string>& classes,
                                                  const ImageFileOptions& options, std::int64_t limit = 0);

}  // namespace ff::models
