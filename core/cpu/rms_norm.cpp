#include "ff/core/cpu/rms_norm.h"

#include <algorithm>
#include <cmath>

#include "ff/core/cpu/block_sums.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/rms_norm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/rows-inl.h"

#ifndef FF_CORE_CPU_RMS_NORM_ARGUMENTS
#define FF_CORE_CPU_RMS_NORM_ARGUMENTS
namespace ff::cpu {
namespace {

// See rms_norm.h.
template <class T>
struct RmsForward {
  std::int64_t n;
  double eps;
  const T *x, *weight;
  T *y, *rrms;
};

template <class T>
struct RmsBackward {
  std::int64_t n;
  const T *x, *weight, *rrms, *dy;
  T* dx;
};

}  // namespace
}  // namespace ff::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class T>
void ForwardRows(const RmsForward<T>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = a.x + row * a.n;
    const double squares = SumRow(
        a.n, [](V64 v) HWY_ATTR { return hn::Mul(v, v); }, x);
    const double rrms = 1 / std::sqrt(squares / static_cast<double>(a.n) + a.eps);
    a.rrms[row] = static_cast<T>(rrms);
    const V64 s = hn::Set(D64(), rrms);
    if (a.weight != nullptr)
      MapRow(
          a.n, [s](V64 v, V64 w) HWY_ATTR { return hn::Mul(hn::Mul(v, s), w); }, a.y + row * a.n, x, a.weight);
    else
      MapRow(
          a.n, [s](V64 v) HWY_ATTR { return hn::Mul(v, s); }, a.y + row * a.n, x);
  }
}

// One row, h = x rrms: dx, and dweight += dy h in double; either may be null.
template <bool kWeighted, class T>
void BackwardRow(const RmsBackward<T>& a, std::int64_t row, double* dweight) {
  const std::int64_t n = a.n;
  const T *x = a.x + row * n, *dy = a.dy + row * n;
  const V64 rrms = hn::Set(D64(), static_cast<double>(a.rrms[row]));
  auto weighted = [&](V64 d, std::int64_t i, auto part) HWY_ATTR {
    if constexpr (kWeighted)
      return hn::Mul(d, Load(a.weight + i, part));
    else
      return d;
  };
  if (a.dx != nullptr) {
    V64 sum = hn::Zero(D64());
    ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
      sum = hn::MulAdd(weighted(Load(dy + i, part), i, part), hn::Mul(Load(x + i, part), rrms), sum);
    });
    const V64 mean = hn::Set(D64(), SumLanes(sum) / static_cast<double>(n));
    ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
      const V64 h = hn::Mul(Load(x + i, part), rrms), g = weighted(Load(dy + i, part), i, part);
      Store(hn::Mul(rrms, hn::NegMulAdd(h, mean, g)), a.dx + row * n + i, part);
    });
  }
  if (dweight == nullptr) return;
  ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
    const V64 h = hn::Mul(Load(x + i, part), rrms);
    Store(hn::MulAdd(Load(dy + i, part), h, Load(dweight + i, part)), dweight + i, part);
  });
}

template <class T>
void BackwardRows(const RmsBackward<T>& a, std::int64_t begin, std::int64_t end, double* dweight) {
  for (std::int64_t row = begin; row < end; ++row)
    if (a.weight != nullptr)
      BackwardRow<true>(a, row, dweight);
    else
      BackwardRow<false>(a, row, dweight);
}

void ForwardF32(const RmsForward<float>& a, std::int64_t begin, std::int64_t end) { ForwardRows(a, begin, end); }
void ForwardF64(const RmsForward<double>& a, std::int64_t begin, std::int64_t end) { ForwardRows(a, begin, end); }
void BackwardF32(const RmsBackward<float>& a, std::int64_t begin, std::int64_t end, double* dweight) {
  BackwardRows(a, begin, end, dweight);
}
void BackwardF64(const RmsBackward<double>& a, std::int64_t begin, std::int64_t end, double* dweight) {
  BackwardRows(a, begin, end, dweight);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
namespace {

HWY_EXPORT(ForwardF32);
HWY_EXPORT(ForwardF64);
HWY_EXPORT(BackwardF32);
HWY_EXPORT(BackwardF64);

void forward_rows(const RmsForward<float>& a, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ForwardF32)(a, begin, end);
}
void forward_rows(const RmsForward<double>& a, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ForwardF64)(a, begin, end);
}
void backward_rows(const RmsBackward<float>& a, std::int64_t begin, std::int64_t end, double* dweight) {
  HWY_DYNAMIC_DISPATCH(BackwardF32)(a, begin, end, dweight);
}
void backward_rows(const RmsBackward<double>& a, std::int64_t begin, std::int64_t end, double* dweight) {
  HWY_DYNAMIC_DISPATCH(BackwardF64)(a, begin, end, dweight);
}

}  // namespace

void rms_norm(DType dtype, std::int64_t rows, std::int64_t n, double eps, const void* x, const void* weight, void* y,
              void* rrms) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const RmsForward<T> a{
        n, eps, static_cast<const T*>(x), static_cast<const T*>(weight), static_cast<T*>(y), static_cast<T*>(rrms)};
    const std::int64_t grain = std::max<std::int64_t>(1, 32 * 1024 / std::max<std::int64_t>(n, 1));
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) { forward_rows(a, begin, end); });
  });
}

void rms_norm_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* weight,
                       const void* rrms, const void* dy, void* dx, void* dweight) {
  if (n == 0) return;
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const RmsBackward<T> a{n,
                           static_cast<const T*>(x),
                           static_cast<const T*>(weight),
                           static_cast<const T*>(rrms),
                           static_cast<const T*>(dy),
                           static_cast<T*>(dx)};
    // Blocks of rows, each with sums of its own: not so many that the sums outgrow the input.
    const std::int64_t grain = std::max({std::int64_t{16}, 16 * 1024 / n, num_chunks(rows, 64)});
    const Scratch<double> sums(dweight != nullptr ? num_chunks(rows, grain) * n : 0, 0.0);
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      backward_rows(a, begin, end, dweight != nullptr ? sums.data() + begin / grain * n : nullptr);
    });
    if (dweight != nullptr) sum_blocks(sums, n, static_cast<T*>(dweight));
  });
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
