#pragma once

#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// What stands outside: a number, the entries mirrored about the first and last (c b | a b c | b a), the nearest entry
/// (a a | a b c | c c), or the entries from the other end (b c | a b c | a b).
enum class PadMode { constant, reflect, replicate, circular };

/// Entries added before and after dimensions: pads holds pairs (before, after), the last dimension's first, then the
/// one before, as PyTorch's. Negative: that many are cut off. The dimensions may be any, and any number of them.
/// Throws Error where a reflection or a circle is asked for more entries than there are.
Tensor pad(const Tensor& x, const std::vector<std::int64_t>& pads, PadMode mode = PadMode::constant, double value = 0,
           Where site = {});

}  // namespace ff
