#include "ff/models/run_folder.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/checkpoint_folder.h"
#include "ff/models/event_file.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* op = "run";

// Files that are written in one go, of which a killed process may leave a part beside them.
std::vector<std::string> whole_files(const RunFolder& run) {
  const std::string pairs = run.path() + "/encoder.json", merges = run.path() + "/vocab.bpe";
  return {run.summary(), run.model(),   run.best_model(), run.vocabulary(), pairs,
          merges,        run.classes(), run.analysis(),   run.profile(),    run.config()};
}

}  // namespace

NewRun::NewRun(const RunFolder& folder) : folder_(folder) {
  for (fs::path at = fs::absolute(folder.path()).lexically_normal(); !fs::exists(fs::symlink_status(at));
       at = at.parent_path())
    made_.push_back(at.string());
}

// Folders only where they are empty: another run may have begun in one of them.
NewRun::~NewRun() {
  std::error_code ignored;
  if (fs::exists(folder_.model(), ignored)) return;
  for (const std::string& file : whole_files(folder_)) io::remove_leftovers(file);
  for (const std::string& file : folder_.files()) fs::remove(file, ignored);
  fs::remove(folder_.checkpoints(), ignored);
  for (const std::string& folder : made_) fs::remove(folder, ignored);
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
    if (overwrite) {
      if (fs::exists(metrics())) io::AppendFile(metrics(), op, fs::file_size(metrics()));  // throws if it is in use
      for (const std::string& file : files()) fs::remove(file);
    }
    std::unique_ptr<NewRun> made(new NewRun(*this));
    fs::create_directories(checkpoints());
    io::write_file(config(), config_text);
    return made;
  } catch (const fs::filesystem_error& error) {
    fail(op, "{}: cannot be made: {}", path_, error.code().message());
  }
}

std::vector<std::string> RunFolder::files() const {
  std::vector<std::string> files = CheckpointFolder(checkpoints()).files();
  files.push_back(metrics());
  for (const std::string& file : whole_files(*this)) files.push_back(file);
  std::error_code ignored;  // of a folder that is not there
  for (const auto& entry : fs::directory_iterator(path_, ignored))
    if (entry.path().filename().string().starts_with(EventFile::prefix)) files.push_back(entry.path().string());
  return files;
}

RunFolder RunFolder::with_best_model() const {
  RunFolder best = *this;
  best.model_ = fs::path(best_model()).filename().string();
  return best;
}

void RunFolder::check_complete() const {
  check_begun();
  check_has(model());
}

void RunFolder::check_begun() const {
  std::error_code error;
  check(fs::is_directory(path_, error), op, "{}: no such folder", path_);
  check_has(config());
}

void RunFolder::check_has(const std::string& file) const {
  std::error_code error;
  check(fs::is_regular_file(file, error), op, "{}: not the folder of a run: {} is missing", path_,
        fs::path(file).filename().string());
}

void RunFolder::clean() const {
  for (const std::string& file : whole_files(*this)) io::remove_leftovers(file);
  CheckpointFolder(checkpoints()).clean();
}

void RunFolder::write_summary(const nlohmann::ordered_json& values) const {
  io::write_file(summary(), values.dump(2) + "\n");
}

nlohmann::ordered_json RunFolder::read_summary() const {
  try {
    auto values = nlohmann::ordered_json::parse(io::read_file(summary(), std::uint64_t{1} << 20));
    check(values.is_object(), op, "{}: not a JSON object", summary());
    return values;
  } catch (const nlohmann::json::exception& error) {
    fail(op, "{}: not JSON: {}", summary(), error.what());
  }
}

}  // namespace ff::models
