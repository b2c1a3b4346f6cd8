// The exponential function as a softmax needs it: per-target code, included again for each target.

#if defined(FF_CORE_CPU_EXP2_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_EXP2_INL_H_
#undef FF_CORE_CPU_EXP2_INL_H_
#else
#define FF_CORE_CPU_EXP2_INL_H_
#endif

#include <hwy/highway.h>

#include "ff/core/cpu/polynomial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// (2^x - 1) / x for |x| <= 1/2, lowest power first: Chebyshev fits with errors of 5e-9 and 8e-18 in 2^x.
struct Exp2Float {
  using Bits = std::int32_t;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr float magic = 0x1.8p23f + bias;
  static constexpr float polynomial[] = {0.69314718802622878f,   0.24022650760568127f,   0.055503571142190778f,
                                         0.0096180825772578515f, 0.0013390863364671234f, 0.0001545316294512069f};
};
struct Exp2Double {
  using Bits = std::int64_t;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr double magic = 0x1.8p52 + bias;
  static constexpr double polynomial[] = {0.69314718055994531,   0.24022650695910098,   0.055504108664821594,
                                          0.0096181291076068885, 0.0013333558146416935, 0.0001540353044173605,
                                          1.5252733829836118e-5, 1.321544258792169e-6,  1.0178062445845774e-7,
                                          7.0725859492692237e-9, 4.4549605981865184e-10};
};
inline Exp2Float exp2_constants(float) { return {}; }
inline Exp2Double exp2_constants(double) { return {}; }

/// 2^x to about 1 ulp, for x up to 127 (1023 for double), -infinity and NaN included; 1 at 0; 0 where the result would
/// be denormal.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2(D d, V x) {
  using Constants = decltype(exp2_constants(hn::TFromD<D>()));
  const hn::RebindToSigned<D> di;
  const V least = hn::Set(d, -Constants::bias);
  x = hn::IfThenElse(hn::Lt(x, least), least, x);  // not Max, which may turn NaN into a number
  // Adding the magic number leaves the nearest integer n in the low bits, biased as the exponent of 2^n is.
  const V shifted = hn::Add(x, hn::Set(d, Constants::magic));
  const V power = hn::BitCast(d, hn::ShiftLeft<Constants::mantissa>(hn::BitCast(di, shifted)));
  const V r = hn::Sub(x, hn::Sub(shifted, hn::Set(d, Constants::magic)));
  return hn::Mul(power, hn::MulAdd(Polynomial(d, r, Constants::polynomial), r, hn::Set(d, 1)));
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
