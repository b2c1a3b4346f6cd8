#include "ff/models/language/token_cache.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ff/core/check.h"

namespace ff::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* op = "load_corpus";
constexpr std::uintmax_t worth_keeping = 1 << 20;  // bytes on disk; what is smaller is soon read anew

// The user's folder for what can be made again (freedesktop.org's base directories); empty where there is none.
fs::path user_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return fs::path(cache) / "fourierformer";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".cache/fourierformer";
  return {};
}

// Whether a folder is there to be written to: one without permissions to is not, not even by root.
bool is_writable(const fs::path& folder) {
  constexpr auto write = fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  return !error && (status.permissions() & write) != fs::perms::none && ::access(folder.c_str(), W_OK) == 0;
}

// A name for the text in a folder where there may be others of the same name.
std::string far_name(const fs::path& text) {
  const std::string path = fs::weakly_canonical(text).string();
  const auto hash = crc32_z(0, reinterpret_cast<const Bytef*>(path.data()), path.size());
  return fmt::format("{}-{:08x}", fs::path(path).filename().string(), hash);
}

}  // namespace

std::string describe_sources(const TextParts& parts) {
  std::string text;
  for (const TextPart& part : parts.all()) {
    struct stat status {};
    check(::stat(part.path.c_str(), &status) == 0, op, "{}: cannot be examined: {}", part.path,
          std::generic_category().message(errno));
    text += fmt::format("{}: {} bytes of {}.{:09}, {} to {}\n", fs::path(part.path).filename().string(),
                        static_cast<std::int64_t>(status.st_size), static_cast<std::int64_t>(status.st_mtim.tv_sec),
                        static_cast<std::int64_t>(status.st_mtim.tv_nsec), part.begin, part.end);
  }
  return text;
}

std::string token_cache_path(const LanguageDataConfig& data, const TextParts& parts, const std::string& label) {
  if (data.cache == "none") return {};
  const std::string name = label + ".tokens", far = far_name(data.path) + "." + name;
  std::error_code error;
  if (!data.cache.empty()) {
    fs::create_directories(data.cache, error);
    check(fs::is_directory(data.cache), op, "data.cache {}: cannot be made: {}", data.cache, error.message());
    return (fs::path(data.cache) / far).string();
  }
  std::uintmax_t bytes = 0;
  for (const TextPart& part : parts.all()) bytes += fs::file_size(part.path, error);
  if (bytes < worth_keeping) return {};
  const bool is_folder = fs::is_directory(data.path);
  const fs::path beside = is_folder ? fs::path(data.path) / name : fs::path(data.path + "." + name);
  if (is_writable(beside.has_parent_path() ? beside.parent_path() : ".")) return beside.string();
  const fs::path cache = user_cache();
  if (cache.empty()) return {};
  fs::create_directories(cache, error);
  return is_writable(cache) ? (cache / far).string() : "";
}

}  // namespace ff::models
