#include "ff/models/checkpoint.h"

#include "tools/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_reader(data, size, [](const std::string& path) { ff::models::load_checkpoint(path); });
}
