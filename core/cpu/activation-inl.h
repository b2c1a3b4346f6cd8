// Activations of neural networks and their slopes in lanes of double, for float results as math-inl.h has it; GELU,
// which models use most, in lanes of float where the machine has fused multiply-add: per-target code, included again
// for each target. Arguments are clamped where a function has reached its limit, which keeps infinities from meeting
// zeros.

#if defined(FF_CORE_CPU_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_ACTIVATION_INL_H_
#undef FF_CORE_CPU_ACTIVATION_INL_H_
#else
#define FF_CORE_CPU_ACTIVATION_INL_H_
#endif

#include "ff/core/cpu/exp2-inl.h"
#include "ff/core/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {

/// The normal distribution's function and density at x >= -15 (clamped below; the function underflows a float there).
struct NormalParts {
  V64 function, density;
};

HWY_INLINE NormalParts Normal(V64 x) {
  const V64 a = hn::Min(hn::Abs(x), Set64(15));
  const V64 gauss = ExpUnchecked(hn::Mul(hn::Mul(a, a), Set64(-0.5)));
  const V64 tail = hn::Mul(gauss, hn::Mul(Set64(0.5), ScaledErfc(hn::Mul(a, Set64(0.7071067811865476)))));
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(D64())), tail, hn::Sub(Set64(1), tail)),
          hn::Mul(gauss, Set64(0.3989422804014327))};
}

/// x, or the smallest number whose normal tail is still worth a float: keeps -inf from meeting a tail of 0.
HWY_INLINE V64 GeluArgument(V64 x) { return hn::Max(x, Set64(-15)); }

HWY_INLINE V64 Gelu(V64 x) {
  const V64 c = GeluArgument(x);
  return KeepNaN(x, hn::Mul(c, Normal(c).function));
}

/// dy (Phi(x) + x phi(x))
HWY_INLINE V64 GeluGrad(V64 x, V64 dy) {
  const V64 c = Clamp64(x, -15, 15);
  const NormalParts n = Normal(c);
  return KeepNaN(x, hn::Mul(dy, hn::MulAdd(c, n.density, n.function)));
}

using DF32 = hn::ScalableTag<float>;
using VF32 = hn::Vec<DF32>;

HWY_INLINE VF32 SetF32(float value) { return hn::Set(DF32(), value); }

// Beyond this a normal tail, even times the argument, is nothing to a float. Tails are computed 2^64 times too large,
// and meet denormal numbers only as they are scaled back.
inline constexpr float tail_limit = 15;
inline constexpr int tail_scale = 64;

/// y 2^64 exp(-a^2 / 2), for 0 <= a <= tail_limit.
HWY_INLINE VF32 TimesGauss(VF32 y, VF32 a) {
  constexpr float half_log2_e = 0.72134752f, rest = 9.629815e-9f;  // log2(e) / 2 in two parts
  constexpr float magic = Exp2Float::magic + tail_scale;           // as exp2() has it
  const VF32 square = hn::Mul(a, a), lost = hn::MulSub(a, a, square);
  const VF32 shifted = hn::NegMulAdd(square, SetF32(half_log2_e), SetF32(magic));
  const VF32 n = hn::Sub(shifted, SetF32(magic));
  VF32 r = hn::NegMulSub(square, SetF32(half_log2_e), n);
  r = hn::NegMulAdd(lost, SetF32(half_log2_e), r);
  r = hn::NegMulAdd(square, SetF32(rest), r);
  const hn::RebindToSigned<DF32> di;
  const VF32 power = hn::BitCast(DF32(), hn::ShiftLeft<Exp2Float::mantissa>(hn::BitCast(di, shifted)));
  return hn::Mul(power, hn::MulAdd(y, hn::Mul(r, Polynomial(DF32(), r, Exp2Float::polynomial)), y));
}

inline constexpr float normal_density_0 = 0.39894228f;  // 1 / sqrt(2 pi)

/// max(x, 0) - |x| Phi(-|x|), which x Phi(x) is.
HWY_INLINE VF32 Gelu(VF32 x) {
  const VF32 a = hn::Min(hn::Abs(x), SetF32(tail_limit));
  // Of the two forms of the tail, the one with few rounding errors: the difference where its second term is small.
  const auto far = hn::Gt(a, SetF32(1));
  const VF32 numerator = hn::IfThenElse(far, Polynomial(DF32(), a, polynomial::normal_tail_n),
                                        hn::Mul(a, Polynomial(DF32(), a, polynomial::normal_tail_p)));
  const VF32 quotient = hn::Div(numerator, Polynomial(DF32(), a, polynomial::normal_tail_q));
  const VF32 tail = TimesGauss(hn::IfThenElse(far, hn::Sub(SetF32(normal_density_0), quotient), quotient), a);
  const VF32 y = hn::NegMulAdd(tail, SetF32(0x1p-64f), hn::Max(x, hn::Zero(DF32())));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(y, x));
}

/// dy (Phi(x) + x phi(x)): dy times g = Phi(-|x|) - |x| phi(x), or 1 - g.
HWY_INLINE VF32 GeluGrad(VF32 x, VF32 dy) {
  const VF32 a = hn::Min(hn::Abs(x), SetF32(tail_limit)), below = Polynomial(DF32(), a, polynomial::normal_tail_q);
  const VF32 above =
      hn::NegMulAdd(hn::Mul(a, SetF32(normal_density_0)), below, Polynomial(DF32(), a, polynomial::normal_tail_p));
  const VF32 g = TimesGauss(hn::Div(hn::Mul(above, SetF32(0x1p-64f)), below), a);
  const VF32 slope = hn::IfThenElse(hn::Lt(x, hn::Zero(DF32())), g, hn::Sub(SetF32(1), g));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Mul(dy, slope));
}

/// x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3), which is x (1 + tanh(u)) / 2.
inline constexpr double gelu_tanh_scale = 1.5957691216057308, gelu_tanh_cubic = 0.044715;

HWY_INLINE V64 GeluTanhSigmoid(V64 c) {
  const V64 c2 = hn::Mul(c, c);
  const V64 u2 = hn::Mul(hn::Mul(c, Set64(gelu_tanh_scale)), hn::MulAdd(c2, Set64(gelu_tanh_cubic), Set64(1)));
  return Sigmoid(u2);
}

HWY_INLINE V64 GeluTanh(V64 x) {
  const V64 c = GeluArgument(x);
  return KeepNaN(x, hn::Mul(c, GeluTanhSigmoid(c)));
}

HWY_INLINE V64 GeluTanhGrad(V64 x, V64 dy) {
  const V64 c = Clamp64(x, -15, 15), s = GeluTanhSigmoid(c), one = Set64(1);
  const V64 du2 = hn::Mul(Set64(gelu_tanh_scale), hn::MulAdd(hn::Mul(c, c), Set64(3 * gelu_tanh_cubic), one));
  const V64 slope = hn::MulAdd(hn::Mul(hn::Mul(c, s), hn::Sub(one, s)), du2, s);
  return KeepNaN(x, hn::Mul(dy, slope));
}

// Beyond this the exponentials below are nothing beside 1, even times the argument, for a float.
inline constexpr double activation_limit = 150;

HWY_INLINE V64 Silu(V64 x) {
  const V64 c = hn::Max(x, Set64(-activation_limit));
  return KeepNaN(x, hn::Mul(c, Sigmoid(c)));
}

/// dy s (1 + x (1 - s)), s = sigmoid(x)
HWY_INLINE V64 SiluGrad(V64 x, V64 dy) {
  const V64 c = Clamp64(x, -activation_limit, activation_limit), s = Sigmoid(c), one = Set64(1);
  return KeepNaN(x, hn::Mul(dy, hn::Mul(s, hn::MulAdd(c, hn::Sub(one, s), one))));
}

/// log(1 + exp(x))
HWY_INLINE V64 Softplus(V64 x) {
  const V64 above = hn::Max(x, hn::Zero(D64()));
  return KeepNaN(x, hn::Add(above, Log1p(ExpUnchecked(hn::Neg(hn::Abs(x))))));
}

/// tanh(log(1 + e)) = n / (n + 2) with n = e (e + 2), for e = exp(x).
HWY_INLINE V64 Mish(V64 x) {
  const V64 c = hn::Max(x, Set64(-activation_limit)), e = ExpUnchecked(hn::Min(c, Set64(40))), two = Set64(2);
  const V64 n = hn::Mul(e, hn::Add(e, two));
  return KeepNaN(x, hn::Mul(c, hn::Div(n, hn::Add(n, two))));
}

/// dy (t + 4 x e (e + 1) / (n + 2)^2), t = n / (n + 2)
HWY_INLINE V64 MishGrad(V64 x, V64 dy) {
  const V64 c = Clamp64(x, -activation_limit, activation_limit), e = ExpUnchecked(hn::Min(c, Set64(40)));
  const V64 n = hn::Mul(e, hn::Add(e, Set64(2))), inverse = hn::Div(Set64(1), hn::Add(n, Set64(2)));
  const V64 bend = hn::Mul(hn::Mul(hn::Mul(Set64(4), c), hn::MulAdd(e, e, e)), inverse);
  return KeepNaN(x, hn::Mul(dy, hn::Mul(inverse, hn::Add(n, bend))));
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
