// cross_entropy() of softmax.h.

#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/cpu/softmax.h"
#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/cross_entropy.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/math-inl.h"
#include "ff/core/cpu/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

// log sum exp x
template <class T>
double LogSumExp(std::int64_t n, const T* x) {
  const double largest = LargestOfRow(n, x);
  if (largest == -std::numeric_limits<double>::infinity()) return largest;
  const V64 shift = Set64(largest);
  return largest + std::log(SumRow(
                       n, [shift](V64 v) HWY_ATTR { return ExpFor<T>(hn::Sub(v, shift)); }, x));
}

template <class T>
double SumOfRow(std::int64_t n, const T* x) {
  return SumRow(
      n, [](V64 v) HWY_ATTR { return v; }, x);
}

// dx = dloss (exp(x - lse) - each)
template <class T>
void Gradient(std::int64_t n, const T* x, double lse, double each, double dloss, T* dx) {
  const V64 lse_v = Set64(lse), each_v = Set64(each), dloss_v = Set64(dloss);
  MapRow(
      n,
      [lse_v, each_v, dloss_v](V64 v)
          HWY_ATTR { return hn::Mul(dloss_v, hn::Sub(ExpFor<T>(hn::Sub(v, lse_v)), each_v)); },
      dx, x);
}

double LogSumExpF32(std::int64_t n, const float* x) { return LogSumExp(n, x); }
double LogSumExpF64(std::int64_t n, const double* x) { return LogSumExp(n, x); }
double SumF32(std::int64_t n, const float* x) { return SumOfRow(n, x); }
double SumF64(std::int64_t n, const double* x) { return SumOfRow(n, x); }
void GradientF32(std::int64_t n, const float* x, double lse, double each, double dloss, float* dx) {
  Gradient(n, x, lse, each, dloss, dx);
}
void GradientF64(std::int64_t n, const double* x, double lse, double each, double dloss, double* dx) {
  Gradient(n, x, lse, each, dloss, dx);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ff::cpu {
namespace {

HWY_EXPORT(LogSumExpF32);
HWY_EXPORT(LogSumExpF64);
HWY_EXPORT(SumF32);
HWY_EXPORT(SumF64);
HWY_EXPORT(GradientF32);
HWY_EXPORT(GradientF64);

double log_sum_exp(std::int64_t n, const float* x) { return HWY_DYNAMIC_DISPATCH(LogSumExpF32)(n, x); }
double log_sum_exp(std::int64_t n, const double* x) { return HWY_DYNAMIC_DISPATCH(LogSumExpF64)(n, x); }
double sum(std::int64_t n, const float* x) { return HWY_DYNAMIC_DISPATCH(SumF32)(n, x); }
double sum(std::int64_t n, const double* x) { return HWY_DYNAMIC_DISPATCH(SumF64)(n, x); }
void gradient(std::int64_t n, const float* x, double lse, double each, double dloss, float* dx) {
  HWY_DYNAMIC_DISPATCH(GradientF32)(n, x, lse, each, dloss, dx);
}
void gradient(std::int64_t n, const double* x, double lse, double each, double dloss, double* dx) {
  HWY_DYNAMIC_DISPATCH(GradientF64)(n, x, lse, each, dloss, dx);
}

// The loss of a row that is not ignored.
template <class T>
double row_loss(std::int64_t n, const T* x, std::int64_t target, double smoothing, double lse) {
  const double loss = lse - static_cast<double>(x[target]);
  if (smoothing == 0) return loss;  // where entries of -inf must not count
  return (1 - smoothing) * loss + smoothing * (lse - sum(n, x) / static_cast<double>(n));
}

std::int64_t row_grain(std::int64_t n) { return std::max<std::int64_t>(1, 16 * 1024 / std::max<std::int64_t>(n, 1)); }

}  // namespace

void cross_entropy(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const std::int64_t* target,
                   std::int64_t ignore_index, double smoothing, void* loss, void* lse) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* row = static_cast<const T*>(x) + r * n;
        const double row_lse = log_sum_exp(n, row);
        static_cast<T*>(lse)[r] = static_cast<T>(row_lse);
        static_cast<T*>(loss)[r] =
            target[r] == ignore_index ? T{0} : static_cast<T>(row_loss(n, row, target[r], smoothing, row_lse));
      }
    });
  });
}

void cross_entropy_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const std::int64_t* target,
                            std::int64_t ignore_index, double smoothing, const void* lse, const void* dloss, void* dx) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* row = static_cast<const T*>(x) + r * n;
        T* to = static_cast<T*>(dx) + r * n;
        if (target[r] == ignore_index) {
          std::fill_n(to, n, T{0});
          continue;
        }
        const double row_lse = static_cast<double>(static_cast<const T*>(lse)[r]);
        const double d = static_cast<double>(static_cast<const T*>(dloss)[r]);
        const double each = smoothing / static_cast<double>(n);
        // The target's entry apart, in double: exp(x - lse) - 1 would lose digits after rounding.
        const double probability = std::exp(static_cast<double>(row[target[r]]) - row_lse);
        gradient(n, row, row_lse, each, d, to);
        to[target[r]] = static_cast<T>(d * (probability - (1 - smoothing) - each));
      }
    });
  });
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
