#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ff/core/cpu/backend.h"

// doctest's own, but for --simd-targets, which lists the instruction sets to test with (FF_SIMD); one is chosen before
// any kernel runs.
int main(int argc, char** argv) try {
  if (argc == 2 && std::string_view(argv[1]) == "--simd-targets") {
    for (const std::string& name : ff::cpu::simd_targets()) fmt::print("{}\n", name);
    return 0;
  }
  ff::cpu::simd_target();
  return doctest::Context(argc, argv).run();
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
