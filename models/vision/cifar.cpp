#include "ff/models/vision/cifar.h"

#include <array>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/vision/image_set.h"

namespace ff::models {
namespace {

constexpr const char* op = "read_cifar10";
constexpr std::int64_t side = 32, channels = 3, classes = 10;

}  // namespace

void read_cifar10(const std::string& path, CifarImages& to) {
  io::InputFile file(path, op);
  std::array<std::uint8_t, 1 + channels * side * side> record{};
  for (std::int64_t i = 0;; ++i) {
    const std::uint64_t got = file.read_some(record.data(), record.size());
    check(got == record.size() || (got == 0 && i > 0), op, "{}: record {} has {} bytes, not {}", path, i, got,
          record.size());
    if (got == 0) break;
    check(record[0] < classes, op, "{}: the label of record {} is {}, not 0 to {}", path, i, record[0], classes - 1);
    to.labels.push_back(record[0]);
    to.images.push_back(image_of_planes(record.data() + 1, channels, side, side));
  }
}

std::vector<std::string> cifar10_files(const std::string& folder, bool train) {
  if (!train) return {folder + "/test_batch.bin"};
  std::vector<std::string> files;
  for (int i = 1; i <= 5; ++i) files.push_back(fmt::format("{}/data_batch_{}.bin", folder, i));
  return files;
}

}  // namespace ff::models
