// Weights from scores in lanes of float: per-target code, included again for each target.

#if defined(FF_CORE_CPU_FOURIER_POWER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_FOURIER_POWER_INL_H_
#undef FF_CORE_CPU_FOURIER_POWER_INL_H_
#else
#define FF_CORE_CPU_FOURIER_POWER_INL_H_
#endif

#include <limits>

#include <hwy/contrib/math/math-inl.h>

#include "ff/core/cpu/fourier_sinc-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {

inline constexpr float ln_2 = 0.6931471805599453f, log2_e = 1.4426950408889634f;
inline constexpr float hidden = -std::numeric_limits<float>::infinity();

HWY_INLINE V Log2(V x) { return hn::Mul(hn::Log(D(), x), SetAll(log2_e)); }

/// 2^z for whole z <= 127, 0 below -126.
HWY_INLINE V PowerOfTwo(V z) {
  const VI biased = hn::Add(hn::ConvertTo(DI(), hn::Max(z, SetAll(-127.0f))), hn::Set(DI(), 127));
  return hn::BitCast(D(), hn::ShiftLeft<23>(biased));
}

/// K^power / 2^(power reference).
HWY_INLINE V WeightByMultiplying(const Power& power, V mantissa, V exponent, V reference) {
  V y = mantissa;
  for (int k = 1; k < power.whole; ++k) y = hn::Mul(y, mantissa);
  return hn::Mul(y, PowerOfTwo(hn::Mul(SetAll(power.value), hn::Sub(exponent, reference))));
}

HWY_INLINE V WeightByLogarithm(const Power& power, V mantissa, V exponent, V reference) {
  const V z = hn::Add(hn::Sub(exponent, reference), Log2(mantissa));
  const V y = hn::Exp(D(), hn::Mul(hn::Mul(SetAll(power.value), SetAll(ln_2)), z));
  return hn::IfThenElse(hn::IsNaN(mantissa), mantissa, y);
}

/// Hidden pairs have weight 0 whatever their mantissa.
HWY_INLINE V Weight(const Power& power, V mantissa, V exponent, V reference) {
  const V y = power.whole ? WeightByMultiplying(power, mantissa, exponent, reference)
                          : WeightByLogarithm(power, mantissa, exponent, reference);
  return hn::IfThenElseZero(hn::Gt(exponent, SetAll(hidden)), y);
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
