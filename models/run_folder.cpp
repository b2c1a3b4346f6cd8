#include "ff/models/run_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* op = "run";

// Removes, unless kept, the folders that did not exist when it was made: the topmost one with all below it.
class NewFolders {
 public:
  explicit NewFolders(const fs::path& folder) {
    for (fs::path at = fs::absolute(folder).lexically_normal(); !at.empty() && !fs::exists(at); at = at.parent_path())
      if (at.has_filename()) top_ = at;
  }
  ~NewFolders() {
    std::error_code ignored;
    if (!top_.empty()) fs::remove_all(top_, ignored);
  }
  NewFolders(const NewFolders&) = delete;
  NewFolders& operator=(const NewFolders&) = delete;
  void keep() { top_.clear(); }

 private:
  fs::path top_;
};

}  // namespace

RunFolder::RunFolder(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  check(!path_.empty(), op, "the name of the folder is empty");
}

void RunFolder::check_free(bool overwrite) const {
  std::error_code error;
  const fs::file_status status = fs::status(path_, error);
  if (status.type() == fs::file_type::not_found) return;
  check(status.type() != fs::file_type::none, op, "{}: cannot be examined: {}", path_, error.message());
  check(fs::is_directory(status), op, "{}: is there, and no folder", path_);
  if (overwrite) return;
  for (const std::string& file : files())
    check(!fs::exists(file, error), op, "{}: holds a run already; name another folder, or overwrite it (--overwrite)",
          path_);
}

void RunFolder::create(const std::string& config_text, bool overwrite) const {
  check_free(overwrite);
  try {
    NewFolders made(path_);
    if (overwrite)
      for (const std::string& file : files()) fs::remove(file);
    fs::create_directories(path_);
    io::write_file(config(), config_text);
    fs::create_directories(fs::path(checkpoint()).parent_path());
    made.keep();
  } catch (const fs::filesystem_error& error) {
    fail(op, "{}: cannot be made: {}", path_, error.code().message());
  }
}

std::vector<std::string> RunFolder::files() const {
  return {summary(), checkpoint(), metrics(), model(), vocabulary(), config()};
}

void RunFolder::check_complete() const {
  std::error_code error;
  check(fs::is_directory(path_, error), op, "{}: no such folder", path_);
  for (const std::string& file : {config(), model()})
    check(fs::is_regular_file(file, error), op, "{}: not the folder of a run: {} is missing", path_,
          fs::path(file).filename().string());
}

void RunFolder::write_summary(const nlohmann::ordered_json& values) const {
  io::write_file(summary(), values.dump(2) + "\n");
}

nlohmann::ordered_json RunFolder::read_summary() const {
  try {
    return nlohmann::ordered_json::parse(io::read_file(summary(), std::uint64_t{1} << 20));
  } catch (const nlohmann::json::exception& error) {
    fail(op, "{}: not JSON: {}", summary(), error.what());
  }
}

}  // namespace ff::models
