// Passes over one row of floats or doubles in lanes of double: per-target code, included again for each target. What
// the row kernels of softmax, cross entropy and layer norm are made of.

#if defined(FF_CORE_CPU_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_ROWS_INL_H_
#undef FF_CORE_CPU_ROWS_INL_H_
#else
#define FF_CORE_CPU_ROWS_INL_H_
#endif

#include <limits>

#include "ff/core/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {

/// A whole vector of a row, or the n < WideLanes() elements left at its end. Loads, stores and sums are written once
/// for both.
struct Whole {};
struct Rest {
  std::int64_t n;
};

template <class T>
HWY_INLINE V64 Load(const T* p, Whole) {
  return LoadWide(p);
}
template <class T>
HWY_INLINE V64 Load(const T* p, Rest rest) {
  return LoadWideN(p, rest.n);
}
template <class T>
HWY_INLINE void Store(V64 v, T* p, Whole) {
  StoreWide(v, p);
}
template <class T>
HWY_INLINE void Store(V64 v, T* p, Rest rest) {
  StoreWideN(v, rest.n, p);
}

/// v, with 0 in the lanes beyond the row's end.
HWY_INLINE V64 Within(V64 v, Whole) { return v; }
HWY_INLINE V64 Within(V64 v, Rest rest) {
  return hn::IfThenElseZero(hn::FirstN(D64(), static_cast<std::size_t>(rest.n)), v);
}

/// f(i, part) at each vector of a row, element i its first, part Whole or Rest.
template <class F>
HWY_INLINE void ForEachVector(std::int64_t n, F f) {
  const std::int64_t lanes = WideLanes();
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) f(i, Whole());
  if (i < n) f(i, Rest{n - i});
}

/// y[i] = f(x[i]...), x one or more arrays.
template <class F, class T, class... X>
HWY_INLINE void MapRow(std::int64_t n, F f, T* y, const X*... x) {
  ForEachVector(n, [=](std::int64_t i, auto part) HWY_ATTR { Store(f(Load(x + i, part)...), y + i, part); });
}

/// sum of f(x[i]...), in four times as many partial sums as there are lanes.
template <class F, class... X>
HWY_INLINE double SumRow(std::int64_t n, F f, const X*... x) {
  const std::int64_t lanes = WideLanes();
  V64 a = hn::Zero(D64()), b = a, c = a, d = a;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = hn::Add(a, f(LoadWide(x + i)...));
    b = hn::Add(b, f(LoadWide(x + i + lanes)...));
    c = hn::Add(c, f(LoadWide(x + i + 2 * lanes)...));
    d = hn::Add(d, f(LoadWide(x + i + 3 * lanes)...));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Add(a, f(LoadWide(x + i)...));
  if (i < n) b = hn::Add(b, Within(f(LoadWideN(x + i, n - i)...), Rest{n - i}));
  return SumLanes(hn::Add(hn::Add(a, b), hn::Add(c, d)));
}

/// The largest x[i]; of a row that holds NaN some other entry or NaN.
template <class T>
HWY_INLINE double LargestOfRow(std::int64_t n, const T* x) {
  constexpr double lowest = -std::numeric_limits<double>::infinity();
  const std::int64_t lanes = WideLanes();
  V64 a = hn::Set(D64(), lowest), b = a;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Max(a, LoadWide(x + i));
    b = hn::Max(b, LoadWide(x + i + lanes));
  }
  for (; i + lanes <= n; i += lanes) a = hn::Max(a, LoadWide(x + i));
  if (i < n) b = hn::Max(b, LoadWideN(x + i, n - i, lowest));
  return LargestLane(hn::Max(a, b));
}

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
