#include <cmath>
#include <limits>
#include <numbers>

#include "ff/core/cpu/decode.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/decode_fourier.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ff/core/cpu/decode-inl.h"
#include "ff/core/cpu/fourier_sinc-inl.h"

#ifndef FF_CORE_CPU_DECODE_FOURIER_ONCE
#define FF_CORE_CPU_DECODE_FOURIER_ONCE
namespace ff::cpu::decode {

// R / pi of a head's features, as the sum of two floats.
struct Turns {
  const float *high, *low;
};

// Differences of more turns than this are left to the scalar loop: what Reduce leaves may then be far beyond 1/2.
inline constexpr float most_turns = 0x1p12f;

}  // namespace ff::cpu::decode
#endif

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::decode {
namespace HWY_NAMESPACE {
namespace {

namespace sinc = fourier::HWY_NAMESPACE;

// R (k - q) = pi (whole + turns), turns having the digits that the sine depends on: k - q and its product with R / pi
// are taken with their rounding errors. Keys are used as they are: packing them, as for many queries, would take longer
// than scoring them once.
#if HWY_NATIVE_FMA
HWY_INLINE sinc::Distance Reduce(V k, V q, V high, V low) {
  const V difference = hn::Sub(k, q), minus_q = hn::Sub(difference, k);
  const V error = hn::Sub(hn::Sub(k, hn::Sub(difference, minus_q)), hn::Add(q, minus_q));
  const V product = hn::Mul(difference, high);
  V rest = hn::MulAdd(difference, low, hn::MulSub(difference, high, product));
  rest = hn::MulAdd(error, high, rest);
  const V whole = hn::Round(product);
  return {whole, hn::Add(hn::Sub(product, whole), rest)};
}
#else
// Without a fused multiply-add: in double, lane by lane.
HWY_INLINE sinc::Distance Reduce(V k, V q, V high, V low) {
  float key[key_block], query[key_block], r[key_block], r_low[key_block];
  hn::StoreU(k, D(), key);
  hn::StoreU(q, D(), query);
  hn::StoreU(high, D(), r);
  hn::StoreU(low, D(), r_low);
  for (std::int64_t i = 0; i < sinc::LaneCount(); ++i) {
    const double x = (double{key[i]} - double{query[i]}) * (double{r[i]} + double{r_low[i]}), whole = std::rint(x);
    key[i] = static_cast<float>(whole);
    query[i] = static_cast<float>(x - whole);
  }
  return {hn::LoadU(D(), key), hn::LoadU(D(), query)};
}
#endif

// A kernel by the definition, in double: where a distance is huge, or something is not finite.
void ScoreByDefinition(const Turns& turns, std::int64_t dim, const float* q, const float* keys, std::int64_t j,
                       float* mantissa, float* exponent) {
  double product = 1;
  std::int64_t total = 0;
  for (std::int64_t d = 0; d < dim; ++d) {
    const double key = double{keys[d * key_block + j]}, query = double{q[d]};
    const double x = std::numbers::pi * (double{turns.high[d]} + double{turns.low[d]}) * (key - query);
    if (!std::isfinite(x)) product = std::numeric_limits<double>::quiet_NaN();
    int shift = 0;
    product = std::frexp(x == 0 ? product : product * (std::sin(x) / x), &shift);
    if (product != 0 && std::isfinite(product)) total += shift;
  }
  *mantissa = static_cast<float>(std::abs(product));
  *exponent = product == 0 ? -std::numeric_limits<float>::infinity() : static_cast<float>(total);
}

// mantissa 2^exponent = prod_d |sinc(R_d (q_d - k_jd))| for a block of keys, turned over.
HWY_INLINE void ScoreBlock(const Turns& turns, std::int64_t dim, const float* q, const float* keys, float* mantissa,
                           float* exponent) {
  for (std::int64_t j = 0; j < key_block; j += sinc::LaneCount()) {
    sinc::SincProduct product = sinc::EmptyProduct();
    V largest = hn::Zero(D());
    for (std::int64_t d = 0; d < dim;) {
      const std::int64_t end = std::min(dim, d + sinc::fold_every);
      for (; d < end; ++d) {
        const V key = hn::LoadU(D(), keys + d * key_block + j);
        const sinc::Distance x =
            Reduce(key, sinc::SetAll(q[d]), sinc::SetAll(turns.high[d]), sinc::SetAll(turns.low[d]));
        largest = hn::Max(largest, hn::Abs(x.whole));
        sinc::MultiplySinc(x, product);
      }
      sinc::FoldExponent(product);
    }
    const V result = sinc::Mantissa(product);
    hn::StoreU(result, D(), mantissa + j);
    hn::StoreU(hn::ConvertTo(D(), product.exponent), D(), exponent + j);
    const auto plain = hn::And(hn::Lt(largest, sinc::SetAll(most_turns)), hn::Not(hn::IsNaN(result)));
    if (hn::AllTrue(D(), plain)) continue;
    for (std::int64_t i = j; i < j + sinc::LaneCount(); ++i)
      ScoreByDefinition(turns, dim, q, keys, i, mantissa + i, exponent + i);
  }
}

void FourierRangeImpl(const AttentionSizes& s, const AttentionMask& mask, const fourier::Power& power,
                      const Turns& turns, const Heads<const float>& q, const Heads<const float>& k,
                      const Heads<const float>& v, const AttentionTile& tile, Part* parts) {
  constexpr std::int64_t ld = key_range;
  const Scratch<float> mantissa(tile.queries * ld), exponent(tile.queries * ld), block(s.dim * key_block);
  for (std::int64_t j = 0; j < tile.keys; j += key_block) {
    TurnKeys(std::min(key_block, tile.keys - j), s.dim, k.at(tile.b, tile.h, tile.key + j), k.row, block.data());
    for (std::int64_t i = 0; i < tile.queries; ++i)
      ScoreBlock(turns, s.dim, q.at(tile.b, tile.h, i), block.data(), mantissa.data() + i * ld + j,
                 exponent.data() + i * ld + j);
  }
  hide_masked(s, mask, tile, exponent.data(), ld);
  const std::int64_t width = fourier::round_up(tile.keys, key_block);
  for (std::int64_t i = 0; i < tile.queries; ++i) {
    float *row = mantissa.data() + i * ld, *hidden = exponent.data() + i * ld;
    std::fill(hidden + tile.keys, hidden + width, -std::numeric_limits<float>::infinity());
    fourier::RowState state;
    float rescale = 0;
    fourier::weigh_tile(power, {1, ld, nullptr, nullptr, row, hidden}, width, &state, &rescale);
    WeighValues(tile.keys, s.value_dim, row, v.at(tile.b, tile.h, tile.key), v.row, parts[i].values);
    parts[i].reference = state.reference;
    parts[i].sum = state.sum;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::decode
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
namespace decode {
HWY_EXPORT(FourierRangeImpl);

// epsilon is a key whose kernel is epsilon and whose value is 0.
Part phantom(const FourierKernel& kernel) {
  if (kernel.epsilon == 0) return {};
  const double score = std::log2(kernel.epsilon);
  const auto reference = static_cast<float>(score / kernel.power);
  return {reference, std::exp2(score - kernel.power * double{reference}), nullptr};
}

}  // namespace decode

void fourier_decode(const AttentionSizes& s, const AttentionMask& mask, const FourierKernel& kernel,
                    Heads<const float> q, Heads<const float> k, Heads<const float> v, const float* r,
                    Heads<float> out) {
  const Scratch<float> high(s.heads * s.dim), low(s.heads * s.dim);
  for (std::int64_t i = 0; i < s.heads * s.dim; ++i) {
    const double turns = r[i] / std::numbers::pi;
    high[i] = static_cast<float>(turns);
    low[i] = static_cast<float>(turns - double{high[i]});
  }
  const fourier::Power power(kernel.power);
  auto attend = [&](const AttentionTile& tile, decode::Part* parts) {
    const decode::Turns turns{high.data() + tile.h * s.dim, low.data() + tile.h * s.dim};
    HWY_DYNAMIC_DISPATCH(decode::FourierRangeImpl)(s, mask, power, turns, q, k, v, tile, parts);
  };
  decode::attend_ranges(s, 4 * s.dim, kernel.power, decode::phantom(kernel), out, attend);
}

}  // namespace ff::cpu
#endif
