// Activations of neural networks and their slopes in lanes of double, for float results as math-inl.h has it:
// per-target code, included again for each target. Arguments are clamped where a function has reached its limit, which
// keeps infinities from meeting zeros.

#if defined(FF_CORE_CPU_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_ACTIVATION_INL_H_
#undef FF_CORE_CPU_ACTIVATION_INL_H_
#else
#define FF_CORE_CPU_ACTIVATION_INL_H_
#endif

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
