// sinc and its logarithmic derivative in lanes of float: per-target code, included again for each target.

#if defined(FF_CORE_CPU_FOURIER_SINC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_FOURIER_SINC_INL_H_
#undef FF_CORE_CPU_FOURIER_SINC_INL_H_
#else
#define FF_CORE_CPU_FOURIER_SINC_INL_H_
#endif

#include <cstdint>

#include <hwy/highway.h>

#include "ff/core/cpu/fourier_tiles.h"
#include "ff/core/cpu/polynomial-inl.h"
#include "ff/core/cpu/polynomials.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu::fourier {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors along the keys of a tile; a block of keys is one vector or several.
using D = hn::CappedTag<float, key_block>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;

HWY_INLINE std::int64_t LaneCount() { return static_cast<std::int64_t>(hn::Lanes(D())); }
HWY_INLINE V SetAll(float value) { return hn::Set(D(), value); }

/// R (k - q) = pi (whole + turns), |turns| <= 1/2: what sine and cotangent depend on is turns, right to the last bits.
struct Distance {
  V whole, turns;
};

/// Given k - q, the difference of phases and that of their tails, and R / pi.
HWY_INLINE Distance Reduce(V difference, VI phase, V tail, V scale) {
  const V turns = hn::MulAdd(hn::ConvertTo(D(), phase), SetAll(0x1p-32f), tail);
  return {hn::Round(hn::MulSub(difference, scale, turns)), turns};
}

/// (sin(pi t) / (pi t) - 1) / t^2 for |t| <= 1/2, t2 = t^2: minimax, giving sin(pi t) a relative error of 1e-8.
HWY_INLINE V SincTail(V t2) {
  V y = hn::MulAdd(t2, SetAll(0.024717610329389572f), SetAll(-0.1904434710741043f));
  y = hn::MulAdd(t2, y, SetAll(0.811715841293335f));
  return hn::MulAdd(t2, y, SetAll(-1.6449333429336548f));
}

/// pi (cot(pi t) - 1/(pi t)) / t for |t| <= 1/2, t2 = t^2: minimax, relative error 2e-7.
HWY_INLINE V CotTail(V t2) {
  V y = hn::MulAdd(t2, SetAll(-4.604303359985352f), SetAll(-1.1467180252075195f));
  y = hn::MulAdd(t2, y, SetAll(-2.127359390258789f));
  y = hn::MulAdd(t2, y, SetAll(-2.0274434089660645f));
  y = hn::MulAdd(t2, y, SetAll(-2.1648027896881104f));
  return hn::MulAdd(t2, y, SetAll(-3.289867639541626f));
}

/// A product of many factors with what its roundings have cost: value + error.
struct Product {
  V value, error;
};

/// Takes in the factor f + f_error. A plain product of 64 sincs would be off by 4e-7, and its fourth power by four
/// times that.
HWY_INLINE void Multiply(V f, V f_error, Product& p) {
  const V value = hn::Mul(p.value, f);
  const V error = hn::MulAdd(p.value, f_error, hn::MulSub(p.value, f, value));
  p.error = hn::MulAdd(p.error, f, error);
  p.value = value;
}

/// A running product of sincs, numerator / denominator 2^exponent.
struct SincProduct {
  Product numerator, denominator;
  VI exponent;
};

HWY_INLINE SincProduct EmptyProduct() {
  const Product one{SetAll(1.0f), hn::Zero(D())};
  return {one, one, hn::Zero(DI())};
}

/// Takes in sinc(x), x = pi (n + t): that is sin(pi t) / (pi (n + t)), or where n = 0 the polynomial of t alone.
HWY_INLINE void MultiplySinc(Distance x, SincProduct& product) {
  const V t = x.turns, t2 = hn::Mul(t, t), one = SetAll(1.0f);
  const auto far = hn::Ne(x.whole, hn::Zero(D()));
  const V factor = hn::IfThenElse(far, t, one), y = SincTail(t2), factor_t2 = hn::Mul(factor, t2);
  const V f = hn::MulAdd(factor_t2, y, factor);
  Multiply(f, hn::MulAdd(factor_t2, y, hn::Sub(factor, f)), product.numerator);
  const V g = hn::IfThenElse(far, hn::Add(x.whole, t), one);
  Multiply(g, hn::IfThenElseZero(far, hn::Sub(t, hn::Sub(g, x.whole))), product.denominator);
}

/// The same for a feature of Range::wide, given k - q.
HWY_INLINE void MultiplyWideSinc(V difference, const float (&sinc_wide)[6], SincProduct& product) {
  const V square = hn::Mul(difference, difference), y = cpu::HWY_NAMESPACE::Polynomial(D(), square, sinc_wide),
          one = SetAll(1.0f);
  const V f = hn::MulAdd(square, y, one);
  Multiply(f, hn::MulAdd(square, y, hn::Sub(one, f)), product.numerator);
}

/// How many sincs may come between two calls of FoldExponent: each is over at most 2^28, and sines below 2^-32 are too
/// rare to meet (where they do, the product is 0). Those of Range::wide are above 1/3.
inline constexpr std::int64_t fold_every = 4, fold_wide_every = 32;

/// Brings the value to [1, 2), or (-2, -1], and returns what its exponent field was, in place.
HWY_INLINE VI TakeExponent(Product& p) {
  const VI field = hn::And(hn::BitCast(DI(), p.value), hn::Set(DI(), 0x7f800000));
  const V scale = hn::BitCast(D(), hn::Sub(hn::Set(DI(), 0x7f000000), field));
  p.value = hn::Mul(p.value, scale);
  p.error = hn::Mul(p.error, scale);
  return field;
}

HWY_INLINE void FoldExponent(SincProduct& product) {
  const VI numerator = TakeExponent(product.numerator), denominator = TakeExponent(product.denominator);
  product.exponent = hn::Add(product.exponent, hn::ShiftRight<23>(hn::Sub(numerator, denominator)));
}

/// |product| 2^-exponent, in (1/2, 2) after FoldExponent.
HWY_INLINE V Mantissa(const SincProduct& p) {
  return hn::Abs(
      hn::Div(hn::Add(p.numerator.value, p.numerator.error), hn::Add(p.denominator.value, p.denominator.error)));
}

/// pi c(x) = pi (cot(x) - 1/x): with x = pi (n + t) it is (pi cot(pi t) - 1/t) + (1/t - 1/(n + t)), the latter 0 for
/// n = 0. At a zero of the kernel, where the weight is 0, a finite number.
HWY_INLINE V SincLogDerivative(Distance x) {
  const V t = x.turns, product = hn::Mul(t, hn::Add(x.whole, t));
  const V pole = hn::IfThenElseZero(hn::Ne(product, hn::Zero(D())), hn::Div(x.whole, product));
  return hn::MulAdd(t, CotTail(hn::Mul(t, t)), pole);
}

/// The same where a polynomial of the square of k - q gives its quotient by k - q.
template <std::size_t n>
HWY_INLINE V SincLogDerivative(V difference, const float (&c)[n]) {
  return hn::Mul(difference, cpu::HWY_NAMESPACE::Polynomial(D(), hn::Mul(difference, difference), c));
}

/// A sum of log2 of sincs with what its roundings have cost: value + error.
struct LogSum {
  V value, error;
};

/// Adds a part. The error is exact where the part is not the larger one, which only the first can be by much.
HWY_INLINE void Add(V part, LogSum& sum) {
  const V value = hn::Add(sum.value, part);
  sum.error = hn::Add(sum.error, hn::Sub(part, hn::Sub(value, sum.value)));
  sum.value = value;
}

/// 2^x for |x| <= 1/2 or little more.
HWY_INLINE V Exp2Fraction(V x) {
  const V y = hn::Mul(x, SetAll(0.6931471805599453f));
  return hn::MulAdd(cpu::HWY_NAMESPACE::Polynomial(D(), y, polynomial::expm1_over_x), y, SetAll(1.0f));
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu::fourier
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
