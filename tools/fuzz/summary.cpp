#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/models/run_folder.h"

#include "tools/fuzz/reader.h"

namespace {

// A run's folder of which nothing is there but the summary, which is the file of path.
class Folder {
 public:
  explicit Folder(const std::string& path) {
    std::filesystem::create_directory(run.path());
    std::filesystem::create_symlink(path, run.summary());
  }
  ~Folder() { std::filesystem::remove_all(run.path()); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const ff::models::RunFolder run{std::filesystem::temp_directory_path() / ("fuzz-" + std::to_string(::getpid()))};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_reader(data, size, [](const std::string& path) {
    static const Folder folder(path);
    (void)folder.run.read_summary();
  });
}
