#include "ff/models/vision/image_set.h"

#include <algorithm>

#include "ff/core/check.h"

namespace ff::models {

ImageSet::ImageSet(std::vector<Image> images, std::vector<std::int64_t> labels) : labels_(std::move(labels)) {
  check(images.size() == labels_.size(), "image_set", "{} images, but {} labels", images.size(), labels_.size());
  for (Image& image : images) held_.push_back(std::make_shared<const Image>(std::move(image)));
}

ImageSet::ImageSet(std::vector<ImageFile> files, const ImageFileOptions& options, std::set<std::string> unreadable)
    : options_(options), held_(files.size()), unreadable_(std::move(unreadable)) {
  for (ImageFile& file : files) {
    labels_.push_back(file.label);
    paths_.push_back(std::move(file.path));
  }
}

std::shared_ptr<const Image> ImageSet::image(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  {
    const std::lock_guard lock(mutex_);
    if (held_[at]) return held_[at];
    if (unreadable_.contains(paths_[at])) return nullptr;
  }
  std::shared_ptr<const Image> image;
  try {
    image = std::make_shared<const Image>(read_image(paths_[at], options_.channels));
  } catch (const Error&) {
    if (!options_.skip_unreadable) throw;
  }
  const std::lock_guard lock(mutex_);
  if (!image) {
    unreadable_.insert(paths_[at]);
  } else if (!held_[at] && held_bytes_ + image->pixels.size() <= options_.cache_bytes) {
    held_[at] = image;
    held_bytes_ += image->pixels.size();
  }
  return image;
}

std::set<std::string> ImageSet::unreadable() const {
  const std::lock_guard lock(mutex_);
  return unreadable_;
}

double ImageSet::bytes_to_come() const {
  const std::lock_guard lock(mutex_);
  const auto held = std::count_if(held_.begin(), held_.end(), [](const auto& image) { return image != nullptr; });
  if (paths_.empty() || held == 0) return 0;
  const auto bytes = static_cast<double>(held_bytes_);
  const double all = bytes / static_cast<double>(held) * static_cast<double>(size());
  return std::min(all, static_cast<double>(options_.cache_bytes)) - bytes;
}

Image image_of_planes(const std::uint8_t* planes, std::int64_t channels, std::int64_t height, std::int64_t width) {
  Image image = Image::black(height, width, channels);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < height * width; ++i)
      image.pixels[static_cast<std::size_t>(i * channels + c)] = *planes++;
  return image;
}

}  // namespace ff::models
