#include <algorithm>
#include <cmath>

#include "ff/core/cpu/fourier_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/fourier_weights.cpp"
#include <hwy/foreach_target.h>

#include "ff/core/cpu/fourier_power-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE float Reference(const Power& power, const float* mantissa, const float* exponent, std::int64_t width) {
  V largest = SetAll(hidden);
  if (power.whole) {
    for (std::int64_t j = 0; j < width; j += LaneCount()) largest = hn::Max(largest, hn::LoadU(D(), exponent + j));
    return hn::GetLane(hn::MaxOfLanes(D(), largest));
  }
  for (std::int64_t j = 0; j < width; j += LaneCount()) {
    const V e = hn::LoadU(D(), exponent + j), m = hn::LoadU(D(), mantissa + j);
    const V score = hn::Add(e, Log2(m));
    largest = hn::Max(largest, hn::IfThenElse(hn::Gt(e, SetAll(hidden)), score, e));
  }
  return hn::GetLane(hn::MaxOfLanes(D(), largest));
}

void WeighTileImpl(const Power& power, const ScoreTile& tile, std::int64_t width, RowState* states, float* rescale) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    float* mantissa = tile.mantissa + i * tile.ld;
    const float* exponent = tile.exponent + i * tile.ld;
    RowState& state = states[i];
    const float old = state.reference;
    state.reference = std::fmax(old, Reference(power, mantissa, exponent, width));
    V sum = hn::Zero(D());
    for (std::int64_t j = 0; j < width; j += LaneCount()) {
      const V w = Weight(power, hn::LoadU(D(), mantissa + j), hn::LoadU(D(), exponent + j), SetAll(state.reference));
      sum = hn::Add(sum, w);
      hn::StoreU(w, D(), mantissa + j);
    }
    rescale[i] = std::exp2(power.value * (old - state.reference));
    state.sum = state.sum * double{rescale[i]} + double{hn::GetLane(hn::SumOfLanes(D(), sum))};
  }
}

void WeighAgainImpl(const Power& power, const ScoreTile& tile, std::int64_t width, const float* references) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    float* mantissa = tile.mantissa + i * tile.ld;
    const float* exponent = tile.exponent + i * tile.ld;
    const V reference = SetAll(references[i]);
    for (std::int64_t j = 0; j < width; j += LaneCount())
      hn::StoreU(Weight(power, hn::LoadU(D(), mantissa + j), hn::LoadU(D(), exponent + j), reference), D(),
                 mantissa + j);
  }
}

void WeightGradientsImpl(const WeightTile& tile, const RowGradient* rows, float* all_dropped, float* products) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    const std::int64_t at = i * tile.ld;
    const float *weights = tile.weights + at, *factor = tile.factors ? tile.factors + at : nullptr;
    float *dropped = all_dropped + at, *product = products + at;
    const V inverse_sum = SetAll(rows[i].inverse_sum), mean = SetAll(rows[i].mean);
    V sum = hn::Zero(D());
    for (std::int64_t j = 0; j < tile.width; j += LaneCount()) {
      const V weight = hn::LoadU(D(), weights + j), w = hn::Mul(weight, inverse_sum);
      const V f = factor ? hn::LoadU(D(), factor + j) : SetAll(1.0f);
      const V g = hn::MulSub(f, hn::LoadU(D(), product + j), mean);
      const auto seen = hn::Ne(weight, hn::Zero(D()));  // products and factors of padding are undefined
      hn::StoreU(hn::IfThenElseZero(seen, hn::Mul(w, f)), D(), dropped + j);
      const V ds = hn::IfThenElseZero(seen, hn::Mul(w, g));
      hn::StoreU(ds, D(), product + j);
      sum = hn::Add(sum, ds);
    }
    if (tile.closed && !factor) {
      const V rest = SetAll(hn::GetLane(hn::SumOfLanes(D(), sum)));
      for (std::int64_t j = 0; j < tile.width; j += LaneCount())
        hn::StoreU(hn::NegMulAdd(hn::LoadU(D(), dropped + j), rest, hn::LoadU(D(), product + j)), D(), product + j);
    }
  }
  for (std::int64_t i = tile.rows; i < round_up(tile.rows, query_block); ++i) {
    std::fill_n(all_dropped + i * tile.ld, tile.width, 0.0f);
    std::fill_n(products + i * tile.ld, tile.width, 0.0f);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu::fourier {

Power::Power(double p) : value(static_cast<float>(p)), whole(p <= 8 && p == std::floor(p) ? static_cast<int>(p) : 0) {}

HWY_EXPORT(WeighTileImpl);
void weigh_tile(const Power& power, const ScoreTile& tile, std::int64_t width, RowState* states, float* rescale) {
  HWY_DYNAMIC_DISPATCH(WeighTileImpl)(power, tile, width, states, rescale);
}

HWY_EXPORT(WeighAgainImpl);
void weigh_again(const Power& power, const ScoreTile& tile, std::int64_t width, const float* references) {
  HWY_DYNAMIC_DISPATCH(WeighAgainImpl)(power, tile, width, references);
}

HWY_EXPORT(WeightGradientsImpl);
void weight_gradients(const WeightTile& tile, const RowGradient* rows, float* dropped, float* products) {
  HWY_DYNAMIC_DISPATCH(WeightGradientsImpl)(tile, rows, dropped, products);
}

}  // namespace ff::cpu::fourier
#endif
