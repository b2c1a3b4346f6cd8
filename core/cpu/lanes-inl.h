// Reading and writing float and double arrays in lanes of double: per-target code, included again for each target.

#if defined(FF_CORE_CPU_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FF_CORE_CPU_LANES_INL_H_
#undef FF_CORE_CPU_LANES_INL_H_
#else
#define FF_CORE_CPU_LANES_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D64 = hn::ScalableTag<double>;
using V64 = hn::Vec<D64>;
using M64 = hn::Mask<D64>;
using HalfF32 = hn::Rebind<float, D64>;  // as many floats as there are doubles in a vector

HWY_INLINE std::int64_t WideLanes() { return static_cast<std::int64_t>(hn::Lanes(D64())); }

HWY_INLINE V64 LoadWide(const double* p) { return hn::LoadU(D64(), p); }
HWY_INLINE V64 LoadWide(const float* p) { return hn::PromoteTo(D64(), hn::LoadU(HalfF32(), p)); }

/// To float, rounding once; beyond the largest float to infinity (which Highway's emulated target would saturate).
HWY_INLINE hn::Vec<HalfF32> Demote(V64 v) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  HWY_ALIGN double wide[hn::MaxLanes(D64())];
  HWY_ALIGN float narrow[hn::MaxLanes(D64())];
  hn::Store(v, D64(), wide);
  for (std::size_t i = 0; i < hn::Lanes(D64()); ++i) narrow[i] = static_cast<float>(wide[i]);
  return hn::Load(HalfF32(), narrow);
#else
  return hn::DemoteTo(HalfF32(), v);
#endif
}

HWY_INLINE void StoreWide(V64 v, double* p) { hn::StoreU(v, D64(), p); }
HWY_INLINE void StoreWide(V64 v, float* p) { hn::StoreU(Demote(v), HalfF32(), p); }

// What follows touches no memory beyond the first n < WideLanes() elements: by masks where the machine has them.

/// The first n lanes from memory, the others fill.
template <class T>
HWY_INLINE V64 LoadWideN(const T* p, std::int64_t n, double fill = 0) {
#if HWY_TARGET == HWY_AVX3
  const hn::Rebind<T, D64> d;
  const auto lanes = hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n)), d, p);
  const M64 valid = hn::FirstN(D64(), static_cast<std::size_t>(n));
  if constexpr (sizeof(T) == sizeof(double))
    return hn::IfThenElse(valid, lanes, hn::Set(D64(), fill));
  else
    return hn::IfThenElse(valid, hn::PromoteTo(D64(), lanes), hn::Set(D64(), fill));
#else
  HWY_ALIGN T lanes[hn::MaxLanes(D64())];
  for (T& lane : lanes) lane = static_cast<T>(fill);
  std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(T));
  return LoadWide(lanes);
#endif
}

/// The first n lanes to memory.
template <class T>
HWY_INLINE void StoreWideN(V64 v, std::int64_t n, T* p) {
#if HWY_TARGET == HWY_AVX3
  const hn::Rebind<T, D64> d;
  const auto valid = hn::FirstN(d, static_cast<std::size_t>(n));
  if constexpr (sizeof(T) == sizeof(double))
    hn::BlendedStore(v, valid, d, p);
  else
    hn::BlendedStore(Demote(v), valid, d, p);
#else
  HWY_ALIGN T lanes[hn::MaxLanes(D64())];
  StoreWide(v, lanes);
  std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(T));
#endif
}

HWY_INLINE double SumLanes(V64 v) { return hn::GetLane(hn::SumOfLanes(D64(), v)); }
HWY_INLINE double LargestLane(V64 v) { return hn::GetLane(hn::MaxOfLanes(D64(), v)); }

}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
