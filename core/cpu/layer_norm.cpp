#include "ff/core/cpu/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "ff/core/cpu/block_sums.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/layer_norm.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/rows-inl.h"

#ifndef FF_CORE_CPU_LAYER_NORM_ARGUMENTS
#define FF_CORE_CPU_LAYER_NORM_ARGUMENTS
namespace ff::cpu {
namespace {

// Of one row or a block of rows; see layer_norm.h.
template <class T>
struct Forward {
  std::int64_t n;
  double eps;
  const T *x, *weight, *bias;
  T *y, *mean, *rstd;
  const T* residual;
  T* sum;
};

template <class T>
struct Backward {
  std::int64_t n;
  const T *x, *weight, *mean, *rstd, *dy, *dsum;
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
void ForwardRow(const Forward<T>& a, std::int64_t row) {
  const std::int64_t n = a.n;
  const T* x = a.x + row * n;
  T* y = a.y + row * n;
  if (a.residual != nullptr) {
    MapRow(
        n, [](V64 v, V64 r) HWY_ATTR { return hn::Add(v, r); }, a.sum + row * n, x, a.residual + row * n);
    x = a.sum + row * n;
  }
  const double mean = SumRow(
                          n, [](V64 v) HWY_ATTR { return v; }, x) /
                      static_cast<double>(n);
  const V64 m = hn::Set(D64(), mean);
  const double squares = SumRow(
      n, [m](V64 v) HWY_ATTR { return hn::Mul(hn::Sub(v, m), hn::Sub(v, m)); }, x);
  const double rstd = 1 / std::sqrt(squares / static_cast<double>(n) + a.eps);
  a.mean[row] = static_cast<T>(mean);
  a.rstd[row] = static_cast<T>(rstd);
  const V64 s = hn::Set(D64(), rstd);
  auto normal = [m, s](V64 v) HWY_ATTR { return hn::Mul(hn::Sub(v, m), s); };
  if (a.weight != nullptr && a.bias != nullptr)
    MapRow(
        n, [m, s](V64 v, V64 w, V64 b) HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(v, m), s), w, b); }, y, x, a.weight,
        a.bias);
  else if (a.weight != nullptr)
    MapRow(
        n, [m, s](V64 v, V64 w) HWY_ATTR { return hn::Mul(hn::Mul(hn::Sub(v, m), s), w); }, y, x, a.weight);
  else if (a.bias != nullptr)
    MapRow(
        n, [m, s](V64 v, V64 b) HWY_ATTR { return hn::MulAdd(hn::Sub(v, m), s, b); }, y, x, a.bias);
  else
    MapRow(n, normal, y, x);
}

// Sums over a row of g = dy weight and of g h.
struct GradientSums {
  V64 g, gh;
};

// One row, h = (x - mean) rstd: dx, and dweight += dy h, dbias += dy in double; any of them may be null.
template <bool kWeighted, class T>
void BackwardRow(const Backward<T>& a, std::int64_t row, double* dweight, double* dbias) {
  const std::int64_t n = a.n;
  const T *x = a.x + row * n, *dy = a.dy + row * n;
  const T* dsum = a.dsum == nullptr ? nullptr : a.dsum + row * n;
  T* dx = a.dx == nullptr ? nullptr : a.dx + row * n;
  const V64 mean = hn::Set(D64(), static_cast<double>(a.mean[row])),
            rstd = hn::Set(D64(), static_cast<double>(a.rstd[row]));
  auto normalised = [&](std::int64_t i, auto part) HWY_ATTR { return hn::Mul(hn::Sub(Load(x + i, part), mean), rstd); };
  auto weighted = [&](V64 d, std::int64_t i, auto part) HWY_ATTR {
    if constexpr (kWeighted)
      return hn::Mul(d, Load(a.weight + i, part));
    else
      return d;
  };
  GradientSums sums{hn::Zero(D64()), hn::Zero(D64())};
  if (dx != nullptr)
    ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
      const V64 g = weighted(Load(dy + i, part), i, part);  // 0 beyond the row's end, as dy is there
      sums.g = hn::Add(sums.g, g);
      sums.gh = hn::MulAdd(g, normalised(i, part), sums.gh);
    });
  const V64 g_mean = hn::Set(D64(), SumLanes(sums.g) / static_cast<double>(n));
  const V64 gh_mean = hn::Set(D64(), SumLanes(sums.gh) / static_cast<double>(n));
  ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
    const V64 d = Load(dy + i, part), h = normalised(i, part);
    if (dx != nullptr) {
      const V64 centred = hn::Sub(weighted(d, i, part), g_mean);
      const V64 normal = hn::NegMulAdd(h, gh_mean, centred);
      const V64 more = dsum == nullptr ? hn::Zero(D64()) : Load(dsum + i, part);
      Store(hn::MulAdd(rstd, normal, more), dx + i, part);
    }
    if (dweight != nullptr) Store(hn::MulAdd(d, h, Load(dweight + i, part)), dweight + i, part);
    if (dbias != nullptr) Store(hn::Add(d, Load(dbias + i, part)), dbias + i, part);
  });
}

template <class T>
void ForwardRows(const Forward<T>& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) ForwardRow(a, row);
}

template <class T>
void BackwardRows(const Backward<T>& a, std::int64_t begin, std::int64_t end, double* dweight, double* dbias) {
  for (std::int64_t row = begin; row < end; ++row)
    if (a.weight != nullptr)
      BackwardRow<true>(a, row, dweight, dbias);
    else
      BackwardRow<false>(a, row, dweight, dbias);
}

void ForwardF32(const Forward<float>& a, std::int64_t begin, std::int64_t end) { ForwardRows(a, begin, end); }
void ForwardF64(const Forward<double>& a, std::int64_t begin, std::int64_t end) { ForwardRows(a, begin, end); }
void BackwardF32(const Backward<float>& a, std::int64_t begin, std::int64_t end, double* dweight, double* dbias) {
  BackwardRows(a, begin, end, dweight, dbias);
}
void BackwardF64(const Backward<double>& a, std::int64_t begin, std::int64_t end, double* dweight, double* dbias) {
  BackwardRows(a, begin, end, dweight, dbias);
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

void forward_rows(const Forward<float>& a, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ForwardF32)(a, begin, end);
}
void forward_rows(const Forward<double>& a, std::int64_t begin, std::int64_t end) {
  HWY_DYNAMIC_DISPATCH(ForwardF64)(a, begin, end);
}
void backward_rows(const Backward<float>& a, std::int64_t begin, std::int64_t end, double* dweight, double* dbias) {
  HWY_DYNAMIC_DISPATCH(BackwardF32)(a, begin, end, dweight, dbias);
}
void backward_rows(const Backward<double>& a, std::int64_t begin, std::int64_t end, double* dweight, double* dbias) {
  HWY_DYNAMIC_DISPATCH(BackwardF64)(a, begin, end, dweight, dbias);
}

}  // namespace

void layer_norm(DType dtype, std::int64_t rows, std::int64_t n, double eps, const void* x, const void* weight,
                const void* bias, void* y, void* mean, void* rstd, const void* residual, void* sum) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Forward<T> a{n,
                       eps,
                       static_cast<const T*>(x),
                       static_cast<const T*>(weight),
                       static_cast<const T*>(bias),
                       static_cast<T*>(y),
                       static_cast<T*>(mean),
                       static_cast<T*>(rstd),
                       static_cast<const T*>(residual),
                       static_cast<T*>(sum)};
    const std::int64_t grain = std::max<std::int64_t>(1, 32 * 1024 / std::max<std::int64_t>(n, 1));
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) { forward_rows(a, begin, end); });
  });
}

void layer_norm_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* weight,
                         const void* mean, const void* rstd, const void* dy, void* dx, void* dweight, void* dbias,
                         const void* dsum) {
  if (n == 0) return;
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Backward<T> a{n,
                        static_cast<const T*>(x),
                        static_cast<const T*>(weight),
                        static_cast<const T*>(mean),
                        static_cast<const T*>(rstd),
                        static_cast<const T*>(dy),
                        static_cast<const T*>(dsum),
                        static_cast<T*>(dx)};
    // Blocks of rows, each with sums of its own: not so many that the sums outgrow the input.
    const std::int64_t grain = std::max({std::int64_t{16}, 16 * 1024 / n, num_chunks(rows, 64)});
    const std::int64_t sums = num_chunks(rows, grain) * n;
    const Scratch<double> weight_sums(dweight != nullptr ? sums : 0, 0.0), bias_sums(dbias != nullptr ? sums : 0, 0.0);
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin / grain * n;
      backward_rows(a, begin, end, dweight != nullptr ? weight_sums.data() + at : nullptr,
                    dbias != nullptr ? bias_sums.data() + at : nullptr);
    });
    if (dweight != nullptr) sum_blocks(weight_sums, n, static_cast<T*>(dweight));
    if (dbias != nullptr) sum_blocks(bias_sums, n, static_cast<T*>(dbias));
  });
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
