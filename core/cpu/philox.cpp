#include "ff/core/cpu/philox.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/philox.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

void words_of(RandomKey key, std::uint64_t first, std::int64_t count, std::uint32_t* words) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  // Each lane of 64 bits holds a block; the upper halves of c0 to c3 are of no account.
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint32_t, decltype(d)> d32;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto multiplier0 = hn::Set(d32, 0xD2511F53u), multiplier1 = hn::Set(d32, 0xCD9E8D57u);
  for (; i + lanes <= count; i += lanes) {
    auto c0 = hn::Iota(d, key.offset + first + static_cast<std::uint64_t>(i));
    auto c1 = hn::ShiftRight<32>(c0), c2 = hn::Zero(d), c3 = hn::Zero(d);
    std::uint32_t k0 = static_cast<std::uint32_t>(key.seed), k1 = static_cast<std::uint32_t>(key.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      const auto p0 = hn::MulEven(hn::BitCast(d32, c0), multiplier0),
                 p1 = hn::MulEven(hn::BitCast(d32, c2), multiplier1);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, k0));
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, k1));
      c1 = p1;
      c3 = p0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const auto low = hn::Set(d, 0xFFFFFFFFu);
    const auto words01 = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
    const auto words23 = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
    HWY_ALIGN std::uint64_t pairs[2 * hn::MaxLanes(d)];
    hn::StoreInterleaved2(words01, words23, d, pairs);
    std::memcpy(words + 4 * i, pairs, 16 * hn::Lanes(d));
  }
#endif
  for (; i < count; ++i) {
    const auto block = philox(key.seed, key.offset + first + static_cast<std::uint64_t>(i));
    std::copy(block.begin(), block.end(), words + 4 * i);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
HWY_EXPORT(words_of);

void philox_words(RandomKey key, std::uint64_t first, std::int64_t count, std::uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(words_of)(key, first, count, words);
}

}  // namespace ff::cpu
#endif
