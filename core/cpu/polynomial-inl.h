// Polynomials in lanes of float or double: per-target code, included again for each target.

#if defined(FF_CORE_CPU_POLYNOMIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_POLYNOMIAL_INL_H_
#undef FF_CORE_CPU_POLYNOMIAL_INL_H_
#else
#define FF_CORE_CPU_POLYNOMIAL_INL_H_
#endif

#include <cstddef>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// c[0] + c[1] x + ... in the lanes of D, whatever type the coefficients are stored in.
template <class D, class T, std::size_t n>
HWY_INLINE hn::Vec<D> Polynomial(D d, hn::Vec<D> x, const T (&c)[n]) {
  auto coefficient = [&](std::size_t i) HWY_ATTR { return hn::Set(d, static_cast<hn::TFromD<D>>(c[i])); };
  hn::Vec<D> y = coefficient(n - 1);
  for (std::size_t i = n - 1; i-- > 0;) y = hn::MulAdd(y, x, coefficient(i));
  return y;
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
