#include "ff/models/metrics_curves.h"

#include "tools/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_reader(data, size, [](const std::string& path) { ff::models::read_metrics(path); });
}
