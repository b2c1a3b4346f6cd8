// Elementary functions in lanes of double whose results are meant to be rounded to float: per-target code, included
// again for each target. Arguments are floats widened to double, so that no argument is denormal and nothing overflows
// on the way; relative errors stay below 2e-10 (0.51 ulp of a float once rounded). Functions named ...F64 are good to
// double.

#if defined(FF_CORE_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_MATH_INL_H_
#undef FF_CORE_CPU_MATH_INL_H_
#else
#define FF_CORE_CPU_MATH_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <limits>

#include "ff/core/cpu/lanes-inl.h"
#include "ff/core/cpu/polynomial-inl.h"
#include "ff/core/cpu/polynomials.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {

using DI64 = hn::RebindToSigned<D64>;

HWY_INLINE V64 Set64(double value) { return hn::Set(D64(), value); }

// Added to a number of magnitude below 2^51, leaves its nearest integer in the low bits of the mantissa.
inline constexpr double round_magic = 0x1.8p52;
inline constexpr double log2_e = 1.4426950408889634, ln_2 = 0.6931471805599453;

/// x = k log(2) + r: scale = 2^k, tail = exp(r) - 1.
struct ExpParts {
  V64 scale, tail;
};

/// For |x| < 700.
HWY_INLINE ExpParts SplitExp(V64 x) {
  const V64 shifted = hn::MulAdd(x, Set64(log2_e), Set64(round_magic));
  const V64 k = hn::Sub(shifted, Set64(round_magic));
  const V64 r = hn::NegMulAdd(k, Set64(ln_2), x);
  const auto bits = hn::Add(hn::BitCast(DI64(), shifted), hn::Set(DI64(), 1023));
  return {hn::BitCast(D64(), hn::ShiftLeft<52>(bits)), hn::Mul(r, Polynomial(D64(), r, polynomial::expm1_over_x))};
}

/// Keeps NaN, which Min and Max do not promise.
HWY_INLINE V64 KeepNaN(V64 x, V64 y) { return hn::IfThenElse(hn::IsNaN(x), x, y); }
HWY_INLINE V64 Clamp64(V64 x, double low, double high) { return hn::Max(Set64(low), hn::Min(x, Set64(high))); }

HWY_INLINE V64 ExpUnchecked(V64 x) {
  const ExpParts e = SplitExp(Clamp64(x, -500, 500));
  return hn::MulAdd(e.scale, e.tail, e.scale);
}

HWY_INLINE V64 Exp(V64 x) { return KeepNaN(x, ExpUnchecked(x)); }

/// 2^x
HWY_INLINE V64 Exp2(V64 x) { return KeepNaN(x, ExpUnchecked(hn::Mul(x, Set64(ln_2)))); }

HWY_INLINE V64 Expm1Unchecked(V64 x) {
  const ExpParts e = SplitExp(Clamp64(x, -500, 500));
  return hn::CopySign(hn::MulAdd(e.scale, e.tail, hn::Sub(e.scale, Set64(1))), x);
}

HWY_INLINE V64 Expm1(V64 x) { return KeepNaN(x, Expm1Unchecked(x)); }

/// exp(x) to about 1 ulp of a double; 0 below -708 (where the result would be denormal), NaN kept.
HWY_INLINE V64 ExpF64(V64 x) {
  const V64 c = Clamp64(x, -708, 709.78);
  const V64 shifted = hn::MulAdd(c, Set64(log2_e), Set64(round_magic));
  const V64 k = hn::Sub(shifted, Set64(round_magic));
  // log(2) in two parts, the first with trailing zeros so that its product with k is exact.
  const V64 r = hn::NegMulAdd(k, Set64(1.9082149292705877e-10), hn::NegMulAdd(k, Set64(0.6931471803691238), c));
  const V64 y = hn::MulAdd(r, Polynomial(D64(), r, polynomial::expm1_over_x_f64), Set64(1));
  const auto bits = hn::Add(hn::BitCast(DI64(), y), hn::ShiftLeft<52>(hn::BitCast(DI64(), shifted)));
  V64 result = hn::IfThenZeroElse(hn::Lt(x, Set64(-708)), hn::BitCast(D64(), bits));
  result = hn::IfThenElse(hn::Gt(x, Set64(709.78)), Set64(std::numeric_limits<double>::infinity()), result);
  return KeepNaN(x, result);
}

/// exp as accurate as results of type T deserve.
template <class T>
HWY_INLINE V64 ExpFor(V64 x) {
  if constexpr (sizeof(T) == sizeof(float))
    return Exp(x);
  else
    return ExpF64(x);
}

/// x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2). For finite x > 0.
struct LogParts {
  V64 e, f;
};

HWY_INLINE LogParts SplitLog(V64 x) {
  // Adding the distance from sqrt(1/2) to 1 moves the place where the exponent steps to sqrt(2).
  const auto bits = hn::BitCast(DI64(), x);
  const auto moved = hn::Add(bits, hn::Set(DI64(), 0x3FF0000000000000 - 0x3FE6A09E667F3BCD));
  const auto exponent_bits = hn::And(moved, hn::Set(DI64(), 0x7FF0000000000000));
  // The biased exponent as a double: put into the low bits of 2^52.
  const auto biased = hn::Or(hn::ShiftRight<52>(exponent_bits), hn::Set(DI64(), 0x4330000000000000));
  const V64 e = hn::Sub(hn::BitCast(D64(), biased), Set64(0x1p52 + 1023));
  const auto mantissa = hn::Sub(bits, hn::Sub(exponent_bits, hn::Set(DI64(), 0x3FF0000000000000)));
  return {e, hn::Sub(hn::BitCast(D64(), mantissa), Set64(1))};
}

HWY_INLINE V64 JoinLog(LogParts p) {
  return hn::MulAdd(p.e, Set64(ln_2), hn::Mul(p.f, Polynomial(D64(), p.f, polynomial::log1p_over_x)));
}

/// What log gives where it is not a finite number of a positive one.
HWY_INLINE V64 LogSpecials(V64 x, V64 y) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(D64())), Set64(-infinity), y);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(D64())), Set64(std::numeric_limits<double>::quiet_NaN()), y);
  y = hn::IfThenElse(hn::Eq(x, Set64(infinity)), x, y);
  return KeepNaN(x, y);
}

HWY_INLINE V64 Log(V64 x) { return LogSpecials(x, JoinLog(SplitLog(x))); }

HWY_INLINE V64 Log1p(V64 x) {
  const V64 u = hn::Add(x, Set64(1));
  LogParts p = SplitLog(u);
  p.f = hn::IfThenElse(hn::Eq(p.e, hn::Zero(D64())), x, p.f);  // 1 + x would lose the digits of a small x
  return hn::CopySign(LogSpecials(u, JoinLog(p)), x);
}

HWY_INLINE V64 Log2(V64 x) { return hn::Mul(Log(x), Set64(log2_e)); }
HWY_INLINE V64 Log10(V64 x) { return hn::Mul(Log(x), Set64(0.4342944819032518)); }

/// y, but f(a, b) where done is 0, lane by lane: for arguments that vector code does not handle.
template <class F>
HWY_NOINLINE V64 LaneByLane(V64 a, V64 b, V64 y, V64 done, F f) {
  HWY_ALIGN double as[hn::MaxLanes(D64())], bs[hn::MaxLanes(D64())], out[hn::MaxLanes(D64())],
      keep[hn::MaxLanes(D64())];
  hn::Store(a, D64(), as);
  hn::Store(b, D64(), bs);
  hn::Store(y, D64(), out);
  hn::Store(done, D64(), keep);
  for (std::size_t i = 0; i < hn::Lanes(D64()); ++i)
    if (keep[i] == 0) out[i] = f(as[i], bs[i]);
  return hn::Load(D64(), out);
}

/// sin and cos of x, both to about 1 ulp of a double, at any size of x.
struct SinCosParts {
  V64 sin, cos;
};

inline constexpr double trig_limit = 1e6;  // k below stays under 2^20, which the split of pi/2 is made for

HWY_INLINE SinCosParts SinCos(V64 x) {
  const V64 shifted = hn::MulAdd(x, Set64(0.6366197723675814), Set64(round_magic));
  const V64 k = hn::Sub(shifted, Set64(round_magic));
  // pi/2 in three parts, the first two of 33 bits: their products with k are exact.
  V64 r = hn::NegMulAdd(k, Set64(1.5707963267341256), x);
  r = hn::NegMulAdd(k, Set64(6.077100506303966e-11), r);
  r = hn::NegMulAdd(k, Set64(2.0222662487959506e-21), r);
  const V64 r2 = hn::Mul(r, r);
  // A factor of r, so that the sine of -0 is -0.
  const V64 s = hn::Mul(r, hn::MulAdd(r2, Polynomial(D64(), r2, polynomial::sin_tail), Set64(1)));
  const V64 c =
      hn::MulAdd(hn::Mul(r2, r2), Polynomial(D64(), r2, polynomial::cos_tail), hn::NegMulAdd(r2, Set64(0.5), Set64(1)));
  // Quarter turns: odd ones swap sine and cosine, the second and third turn the sine's sign, the first and second the
  // cosine's.
  const auto quarter = hn::BitCast(DI64(), shifted);
  const auto odd = hn::MaskFromVec(hn::BitCast(D64(), hn::Neg(hn::And(quarter, hn::Set(DI64(), 1)))));
  const V64 sin_sign = hn::BitCast(D64(), hn::ShiftLeft<62>(hn::And(quarter, hn::Set(DI64(), 2))));
  const V64 cos_sign =
      hn::BitCast(D64(), hn::ShiftLeft<62>(hn::And(hn::Add(quarter, hn::Set(DI64(), 1)), hn::Set(DI64(), 2))));
  SinCosParts y{hn::Xor(hn::IfThenElse(odd, c, s), sin_sign), hn::Xor(hn::IfThenElse(odd, s, c), cos_sign)};
  const M64 reduced = hn::Le(hn::Abs(x), Set64(trig_limit));
  if (HWY_UNLIKELY(!hn::AllTrue(D64(), reduced))) {
    const V64 done = hn::IfThenElseZero(reduced, Set64(1));
    y.sin = LaneByLane(x, x, y.sin, done, [](double v, double) { return std::sin(v); });
    y.cos = LaneByLane(x, x, y.cos, done, [](double v, double) { return std::cos(v); });
  }
  return y;
}

HWY_INLINE V64 Tan(V64 x) {
  const SinCosParts p = SinCos(x);
  return hn::Div(p.sin, p.cos);
}

/// The angle of the point (x, y), in [-pi, pi]; signed zeros and infinities as C's atan2.
HWY_INLINE V64 Atan2(V64 y, V64 x) {
  const V64 ax = hn::Abs(x), ay = hn::Abs(y), one = Set64(1), zero = hn::Zero(D64());
  const V64 small = hn::Min(ax, ay), large = hn::Max(ax, ay);
  // Equal ones may be zeros or infinities, which have no quotient.
  const V64 t =
      hn::IfThenElse(hn::Eq(small, large), hn::IfThenElseZero(hn::Gt(large, zero), one), hn::Div(small, large));
  V64 angle = hn::Mul(t, Polynomial(D64(), hn::Mul(t, t), polynomial::atan_over_x));
  angle = hn::IfThenElse(hn::Gt(ay, ax), hn::Sub(Set64(1.5707963267948966), angle), angle);
  const M64 left = hn::Lt(hn::CopySign(one, x), zero);  // x = -0 too
  angle = hn::IfThenElse(left, hn::Sub(Set64(3.141592653589793), angle), angle);
  return KeepNaN(x, KeepNaN(y, hn::CopySign(angle, y)));
}

/// The cosine of the angle whose sine is x, and the other way round; NaN for |x| > 1.
HWY_INLINE V64 Cofunction(V64 x) {
  const V64 one = Set64(1);
  return hn::Sqrt(hn::Mul(hn::Sub(one, x), hn::Add(one, x)));
}

HWY_INLINE V64 Atan(V64 x) { return Atan2(x, Set64(1)); }
HWY_INLINE V64 Asin(V64 x) { return Atan2(x, Cofunction(x)); }
HWY_INLINE V64 Acos(V64 x) { return Atan2(Cofunction(x), x); }

/// x^y. That of a negative x is that of -x with a sign if y is an integer, otherwise NaN; zeros, infinities and NaN are
/// left to the C library.
HWY_INLINE V64 Pow(V64 x, V64 y) {
  const V64 zero = hn::Zero(D64()), infinity = Set64(std::numeric_limits<double>::infinity());
  const V64 magnitude = hn::Abs(x), half = hn::Mul(y, Set64(0.5));
  const M64 negative = hn::Lt(x, zero), integer = hn::Eq(hn::Floor(y), y), even = hn::Eq(hn::Floor(half), half);
  V64 power = ExpUnchecked(hn::Mul(y, JoinLog(SplitLog(magnitude))));
  power = hn::IfThenElse(hn::AndNot(even, negative), hn::Neg(power), power);
  power = hn::IfThenElse(hn::Eq(y, Set64(2)), hn::Mul(x, x), power);  // to the last bit, since so common
  power = hn::IfThenElse(hn::AndNot(integer, negative), Set64(std::numeric_limits<double>::quiet_NaN()), power);
  const M64 ordinary =
      hn::And(hn::And(hn::Gt(magnitude, zero), hn::Lt(magnitude, infinity)), hn::Lt(hn::Abs(y), infinity));
  if (HWY_LIKELY(hn::AllTrue(D64(), ordinary))) return power;
  const V64 done = hn::IfThenElseZero(ordinary, Set64(1));
  return LaneByLane(x, y, power, done, [](double a, double b) { return std::pow(a, b); });
}

HWY_INLINE V64 Tanh(V64 x) {
  const V64 e = Expm1Unchecked(hn::Add(x, x));
  return KeepNaN(x, hn::Div(e, hn::Add(e, Set64(2))));
}

HWY_INLINE V64 Sinh(V64 x) {
  const V64 e = Expm1Unchecked(hn::Abs(x));
  const V64 y = hn::Mul(Set64(0.5), hn::Add(e, hn::Div(e, hn::Add(e, Set64(1)))));
  return KeepNaN(x, hn::CopySign(y, x));
}

HWY_INLINE V64 Cosh(V64 x) {
  const V64 e = ExpUnchecked(hn::Abs(x));
  return KeepNaN(x, hn::Mul(Set64(0.5), hn::Add(e, hn::Div(Set64(1), e))));
}

/// log(a + sqrt(a^2 + 1)) for a = |x|, with its sign.
HWY_INLINE V64 Asinh(V64 x) {
  const V64 one = Set64(1), a = hn::Abs(x), a2 = hn::Mul(a, a);
  const V64 y = Log1p(hn::Add(a, hn::Div(a2, hn::Add(one, hn::Sqrt(hn::Add(a2, one))))));
  const V64 infinity = Set64(std::numeric_limits<double>::infinity());
  return KeepNaN(x, hn::IfThenElse(hn::Eq(a, infinity), x, hn::CopySign(y, x)));
}

/// log(x + sqrt(x^2 - 1)); NaN for x < 1.
HWY_INLINE V64 Acosh(V64 x) {
  const V64 t = hn::Sub(x, Set64(1));
  const V64 y = Log1p(hn::Add(t, hn::Sqrt(hn::Mul(t, hn::Add(t, Set64(2))))));
  return hn::IfThenElse(hn::Lt(x, Set64(1)), Set64(std::numeric_limits<double>::quiet_NaN()), KeepNaN(x, y));
}

/// log((1 + x) / (1 - x)) / 2; NaN for |x| > 1.
HWY_INLINE V64 Atanh(V64 x) {
  const V64 a = hn::Abs(x);
  const V64 y = Log1p(hn::Div(hn::Add(a, a), hn::Sub(Set64(1), a)));
  return KeepNaN(x, hn::CopySign(hn::Mul(Set64(0.5), y), x));
}

HWY_INLINE V64 Sigmoid(V64 x) { return KeepNaN(x, hn::Div(Set64(1), hn::Add(Set64(1), ExpUnchecked(hn::Neg(x))))); }

/// erfc(x) / exp(-x^2) for 0 <= x <= 11.
HWY_INLINE V64 ScaledErfc(V64 x) {
  const V64 inverse = hn::Div(Set64(1), hn::Add(x, Set64(3)));
  const V64 t = hn::NegMulAdd(inverse, Set64(6), Set64(1));
  return hn::Mul(inverse, Polynomial(D64(), t, polynomial::scaled_erfc));
}

HWY_INLINE V64 Erf(V64 x) {
  const V64 a = hn::Min(hn::Abs(x), Set64(6)), a2 = hn::Mul(a, a);
  const V64 large = hn::NegMulAdd(ExpUnchecked(hn::Neg(a2)), ScaledErfc(a), Set64(1));
  const V64 small = hn::Mul(a, Polynomial(D64(), a2, polynomial::erf_over_x));
  return KeepNaN(x, hn::CopySign(hn::IfThenElse(hn::Lt(a, Set64(0.5)), small, large), x));
}

/// 1 - erf(x), of full relative accuracy in its tail.
HWY_INLINE V64 Erfc(V64 x) {
  const V64 a = hn::Min(hn::Abs(x), Set64(11));
  const V64 tail = hn::Mul(ExpUnchecked(hn::Neg(hn::Mul(a, a))), ScaledErfc(a));
  return KeepNaN(x, hn::IfThenElse(hn::Lt(x, hn::Zero(D64())), hn::Sub(Set64(2), tail), tail));
}

HWY_INLINE V64 Sinc(V64 x) { return hn::IfThenElse(hn::Eq(x, hn::Zero(D64())), Set64(1), hn::Div(SinCos(x).sin, x)); }

HWY_INLINE V64 LogSinc(V64 x) {
  const V64 x2 = hn::Mul(x, x);
  const V64 near = hn::Mul(x2, Polynomial(D64(), x2, polynomial::log_sinc_over_x2));
  const V64 far = Log(hn::Abs(hn::Div(SinCos(x).sin, x)));
  return hn::IfThenElse(hn::Lt(x2, Set64(1)), near, far);
}

HWY_INLINE V64 LogSincGrad(V64 x) {
  const V64 x2 = hn::Mul(x, x);
  const V64 near = hn::Mul(x, Polynomial(D64(), x2, polynomial::log_sinc_grad_over_x));
  const SinCosParts p = SinCos(x);
  const V64 far = hn::Sub(hn::Div(p.cos, p.sin), hn::Div(Set64(1), x));
  return hn::IfThenElse(hn::Lt(x2, Set64(1)), near, far);
}

HWY_INLINE V64 LogSincGrad2(V64 x) {
  const V64 x2 = hn::Mul(x, x);
  const V64 near = Polynomial(D64(), x2, polynomial::log_sinc_grad2_near_0);
  const V64 s = SinCos(x).sin;
  const V64 far = hn::Sub(hn::Div(Set64(1), x2), hn::Div(Set64(1), hn::Mul(s, s)));
  return hn::IfThenElse(hn::Lt(x2, Set64(1)), near, far);
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
