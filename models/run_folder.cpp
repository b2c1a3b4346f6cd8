#include "ff/models/run_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* op = "run";

}  // namespace

NewRun::NewRun(const RunFolder& folder) : folder_(folder) {
  for (fs::path at = fs::absolute(folder.path()).lexically_normal(); !fs::exists(fs::symlink_status(at));
       at = at.parent_path())
    top_ = at.string();
}

NewRun::~NewRun() {
  std::error_code ignored;
  if (fs::exists(folder_.model(), ignored)) return;
  for (const std::string& file : folder_.files()) fs::remove(file, ignored);
  fs::remove(fs::path(folder_.checkpoint()).parent_path(), ignored);  // where it is empty
  if (!top_.empty()) fs::remove_all(top_, ignored);
}

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

std::unique_ptr<NewRun> RunFolder::create(const std::string& config_text, bool overwrite) const {
  check_free(overwrite);
  try {
    if (overwrite)
      for (const std::string& file : files()) fs::remove(file);
    std::unique_ptr<NewRun> made(new NewRun(*this));
    fs::create_directories(fs::path(checkpoint()).parent_path());
    io::write_file(config(), config_text);
    return made;
  } catch (const fs::filesystem_error& error) {
    fail(op, "{}: cannot be made: {}", path_, error.code().message());
  }
}

std::vector<std::string> RunFolder::files() const {
  return {summary(), checkpoint(), metrics(), model(), vocabulary(), analysis(), profile(), config()};
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
