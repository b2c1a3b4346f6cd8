#pragma once

#include <cstdint>

#include "ff/core/random.h"

namespace ff::cpu {

/// words[4 i + w] = word w of philox(key.seed, key.offset + first + i), for blocks [first, first + count): what
/// philox() computes, many blocks at a time.
void philox_words(RandomKey key, std::uint64_t first, std::int64_t count, std::uint32_t* words);

}  // namespace ff::cpu
