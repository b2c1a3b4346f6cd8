// Settings of the command line, one a line: train.lr=0.1.

#include <sstream>

#include "ff/models/run_config.h"

#include "tools/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream text(std::string(data, data + size));
  ff::models::Overrides settings;
  for (std::string line; std::getline(text, line);) settings.push_back(line);
  ff::models::RunConfig config;
  try {
    ff::models::read_config([&](ff::models::Fields& fields) { config.visit(fields); }, "{}", "settings", settings);
    ++fuzz_accepted;
  } catch (const ff::Error&) {
  }
  return 0;
}
