#include "ff/models/vision/image_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "ff/core/check.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;
constexpr const char* op = "image_folder";

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool named_as_image(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
  constexpr std::array names{".jpg", ".jpeg", ".png"};
  return std::find(names.begin(), names.end(), extension) != names.end();
}

// The paths of files below folder, sorted.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(folder), end; at != end; ++at) {
    if (hidden(at->path()))
      at.disable_recursion_pending();
    else if (!at->is_directory())
      files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What the file system throws becomes an Error.
template <class Read>
auto reading(const std::string& folder, const Read& read) {
  try {
    return read();
  } catch (const fs::filesystem_error& error) {
    fail(op, "{}: cannot be read: {}", folder, error.code().message());
  }
}

std::vector<ImageFile> evenly(const std::vector<ImageFile>& files, std::int64_t limit) {
  std::vector<ImageFile> some;
  for (std::int64_t i = 0; i < limit; ++i)
    some.push_back(files[static_cast<std::size_t>(i * static_cast<std::int64_t>(files.size()) / limit)]);
  return some;
}

}  // namespace

std::vector<std::string> image_classes(const std::string& folder) {
  std::vector<std::string> names = reading(folder, [&] {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_directory() && !hidden(entry.path())) found.push_back(entry.path().filename().string());
    return found;
  });
  check(!names.empty(), op, "{}: no folder of a class is in it", folder);
  std::sort(names.begin(), names.end());
  for (const auto& name : names)
    check(name.find('\n') == std::string::npos, op, "{}: the name of a class has two lines: {}", folder, name);
  return names;
}

std::shared_ptr<const ImageSet> open_image_folder(const std::string& folder, const std::vector<std::string>& classes,
                                                  const ImageFileOptions& options, std::int64_t limit) {
  std::vector<ImageFile> files;
  std::set<std::string> unreadable;
  for (const std::string& name : image_classes(folder)) {
    const std::string path = (fs::path(folder) / name).string();
    const auto found = std::find(classes.begin(), classes.end(), name);
    check(found != classes.end(), op, "{}: none of the {} classes that there are to train on has this name", path,
          classes.size());
    const std::size_t before = files.size();
    for (std::string& file : reading(path, [&] { return files_below(path); })) {
      if (named_as_image(file)) {
        files.push_back({std::move(file), found - classes.begin()});
      } else {
        check(options.skip_unreadable, op,
              "{}: not the name of an image: .jpg, .jpeg or .png (data.on_error \"skip\" "
              "does without such files)",
              file);
        unreadable.insert(std::move(file));
      }
    }
    check(files.size() > before, op, "{}: no image of this class is in it", path);
  }
  if (limit > 0 && limit < static_cast<std::int64_t>(files.size())) files = evenly(files, limit);
  return std::make_shared<const ImageSet>(std::move(files), options, std::move(unreadable));
}

}  // namespace ff::models
