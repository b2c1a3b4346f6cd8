#include <vector>

#include <doctest/doctest.h>

#include "ff/core/cpu/philox.h"

using namespace ff;

TEST_CASE("philox_words computes what philox computes, block by block") {
  for (const RandomKey key :
       {RandomKey{0, 0}, RandomKey{0x123456789ABCDEF0u, 0xFFFFFFFAu}, RandomKey{~0ull, 1ull << 53}}) {
    for (std::int64_t count : {0, 1, 7, 8, 33}) {
      const std::uint64_t first = 5;
      std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * count) + 1, 99);
      cpu::philox_words(key, first, count, words.data());
      for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(4 * count); ++i) {
        CAPTURE(key.seed);
        CAPTURE(key.offset);
        CAPTURE(i);
        REQUIRE(words[i] == philox(key.seed, key.offset + first + i / 4)[i % 4]);
      }
      CHECK(words.back() == 99);
    }
  }
}
