#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ff/core/io/image.h"
#include "ff/core/tensor.h"

namespace ff::models {

/// A file of an image, and the class that it shows.
struct ImageFile {
  std::string path;
  std::int64_t label = 0;
};

struct ImageFileOptions {
  std::int64_t channels = 3;      ///< that images are read with, 1 or 3
  std::uint64_t cache_bytes = 0;  ///< decoded images are held in memory up to so many, whichever are read first
  bool skip_unreadable = false;   ///< do without a file that cannot be read, instead of throwing
};

/// Labelled images, which are in memory or are read from their files when they are asked for. May be used from several
/// threads at once.
class ImageSet {
 public:
  /// Of images in memory. Throws Error where there are not as many labels.
  ImageSet(std::vector<Image> images, std::vector<std::int64_t> labels);
  /// Of files. unreadable: paths that are left out already, for unreadable().
  ImageSet(std::vector<ImageFile> files, const ImageFileOptions& options, std::set<std::string> unreadable = {});

  std::int64_t size() const { return static_cast<std::int64_t>(labels_.size()); }
  std::int64_t label(std::int64_t i) const { return labels_[static_cast<std::size_t>(i)]; }
  /// Image i; null where its file cannot be read and skip_unreadable says to do without. Throws Error naming the file
  /// where it does not.
  std::shared_ptr<const Image> image(std::int64_t i) const;
  /// The files that were found unreadable so far.
  std::set<std::string> unreadable() const;
  /// Bytes of images that will be held in memory beside those that are, if all are asked for and the others are as
  /// large; 0 while none is.
  double bytes_to_come() const;

 private:
  std::vector<std::int64_t> labels_;
  std::vector<std::string> paths_;  // none where the images were in memory from the beginning
  ImageFileOptions options_;

  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Image>> held_;  // null: not in memory
  mutable std::uint64_t held_bytes_ = 0;
  mutable std::set<std::string> unreadable_;
};

/// The image that planes, u8 (channels, height, width), make.
Image image_of_planes(const std::uint8_t* planes, std::int64_t channels, std::int64_t height, std::int64_t width);

}  // namespace ff::models
