#include "ff/models/language/data.h"

#include "tools/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz_reader(data, size, [](const std::string& path) {
    ff::models::LanguageDataConfig config;
    config.path = path;
    config.held_out_fraction = 0.5;
    for (const auto kind : {ff::models::TokenKind::bytes, ff::models::TokenKind::words})
      ff::models::load_corpus(config, kind);
  });
}
