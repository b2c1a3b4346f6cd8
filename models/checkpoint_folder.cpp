#include "ff/models/checkpoint_folder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* op = "checkpoint";
constexpr const char* format = "fourierformer checkpoints 1";
constexpr const char* prefix = "step-";

// Files are never written over: until the new manifest is there, the old one must be right. A step is saved twice where
// a run was stopped just before its evaluation.
std::string new_name(std::int64_t step, const std::vector<CheckpointFolder::Entry>& taken) {
  for (int i = 1;; ++i) {
    const std::string name = fmt::format("{}{:08}{}.safetensors", prefix, step, i == 1 ? "" : fmt::format("-{}", i));
    if (std::none_of(taken.begin(), taken.end(), [&](const auto& entry) { return entry.file == name; })) return name;
  }
}

}  // namespace

// Without a manifest, which is lost, or was to follow when the process was killed. A file of that name is whole, unless
// it was damaged later.
std::vector<CheckpointFolder::Entry> CheckpointFolder::found() const {
  std::vector<Entry> entries;
  for (const std::string& file : files()) {
    const fs::path path(file);
    if (path.extension() != ".safetensors") continue;
    const std::string name = path.filename().string();
    const std::string_view digits = std::string_view(name).substr(std::string_view(prefix).size());
    std::int64_t step = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), step).ec != std::errc()) continue;
    entries.push_back({name, step, io::file_digest(file)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.step < b.step; });
  return entries;
}

std::vector<CheckpointFolder::Entry> CheckpointFolder::list() const {
  if (!fs::exists(manifest())) return found();
  try {
    const auto json = ordered_json::parse(io::read_file(manifest(), std::uint64_t{1} << 20));
    check(json.at("format") == format, op, "{}: not a list of checkpoints of this version", manifest());
    std::vector<Entry> entries;
    for (const auto& entry : json.at("checkpoints")) {
      const std::string file = entry.at("file");
      check(file.starts_with(prefix) && file.find('/') == std::string::npos, op, "{}: no checkpoint's name: \"{}\"",
            manifest(), file);
      entries.push_back({file, entry.at("step"), {entry.at("bytes"), entry.at("crc32")}, entry.at("best")});
    }
    return entries;
  } catch (const nlohmann::json::exception& error) {
    fail(op, "{}: damaged: {}; without it the checkpoints are taken as they are", manifest(), error.what());
  }
}

void CheckpointFolder::save(const Checkpoint& checkpoint, std::int64_t keep) const {
  const std::vector<Entry> before = list();
  const std::int64_t step = checkpoint.state.step;
  const bool best = checkpoint.state.best.step == step;
  const std::string name = new_name(step, before), path = path_ + "/" + name;
  save_checkpoint(path, checkpoint);

  std::vector<Entry> all = before;
  if (best)
    for (Entry& entry : all) entry.best = false;
  all.push_back({name, step, io::file_digest(path), best});
  const std::int64_t old = std::max<std::int64_t>(std::ssize(all) - keep, 0);
  all.erase(std::remove_if(all.begin(), all.begin() + old, [](const Entry& entry) { return !entry.best; }),
            all.begin() + old);

  ordered_json list = ordered_json::array();
  for (const auto& [file, of_step, digest, is_best] : all)
    list.push_back(
        {{"file", file}, {"step", of_step}, {"bytes", digest.bytes}, {"crc32", digest.crc32}, {"best", is_best}});
  try {
    io::write_file(manifest(), ordered_json{{"format", format}, {"checkpoints", list}}.dump(2) + "\n");
  } catch (...) {
    clean();  // a full disk: give back what the file takes
    throw;
  }
  clean();
}

Checkpoint CheckpointFolder::load(const Entry& entry) const {
  const std::string path = path_ + "/" + entry.file;
  const io::FileDigest digest = io::file_digest(path);
  check(digest == entry.digest, op, "{}: damaged: {} bytes of CRC-32 {:08x}; {} of {:08x} were written", path,
        digest.bytes, digest.crc32, entry.digest.bytes, entry.digest.crc32);
  return load_checkpoint(path);
}

CheckpointFolder::Newest CheckpointFolder::load_newest() const {
  Newest newest;
  std::vector<Entry> entries = list();
  while (!entries.empty()) {
    try {
      newest.checkpoint = load(entries.back());
      return newest;
    } catch (const Error& error) {
      newest.damaged.emplace_back(error.what());
      entries.pop_back();
    }
  }
  check(newest.damaged.empty(), op, "{}: no checkpoint is whole: {}", path_, fmt::join(newest.damaged, "; "));
  return newest;
}

std::vector<std::string> CheckpointFolder::files() const {
  std::vector<std::string> files{manifest()};
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) || name.starts_with("manifest.json.")) files.push_back(entry.path().string());
  }
  return files;
}

void CheckpointFolder::clean() const {
  const std::vector<Entry> entries = list();
  std::error_code ignored;
  for (const std::string& file : files()) {
    const std::string name = fs::path(file).filename().string();
    const bool listed =
        std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.file == name; });
    if (!listed && file != manifest()) fs::remove(file, ignored);
  }
}

}  // namespace ff::models
