#include "ff/models/language/token_file.h"

#include <zlib.h>

#include "tools/fuzz/reader.h"

// What libFuzzer made up is followed by the right checksum: nothing else would be looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  const auto sum = static_cast<std::uint32_t>(crc32_z(0, data, size));
  file.append(reinterpret_cast<const char*>(&sum), sizeof sum);
  return fuzz_reader(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(),
                     [](const std::string& path) { ff::models::read_token_file(path); });
}
