#include <algorithm>

#include "ff/core/io/file.h"
#include "ff/models/language/byte_pairs.h"

#include "tools/fuzz/reader.h"

namespace {

// The first line is encoder.json, the rest vocab.bpe. What they encode must come back.
void read(const std::string& path) {
  const std::string text = ff::io::read_file(path);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string merges = text.substr(std::min(end + 1, text.size()));
  const auto pairs = ff::models::BytePairs::parse(text.substr(0, end), "encoder.json", merges, "vocab.bpe");
  std::vector<std::int32_t> tokens;
  ff::models::BytePairEncoder(pairs).encode(text, tokens);
  std::string again;
  for (const std::int32_t token : tokens) again += pairs.bytes_of(token);
  if (again != text) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_reader(data, size, read);
}
