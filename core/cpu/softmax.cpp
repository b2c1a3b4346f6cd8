#include "ff/core/cpu/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ff/core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/softmax.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/math-inl.h"
#include "ff/core/cpu/rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

// What is subtracted from a row before exp: its largest entry, or 0 in a row of -inf (whose exponentials are then 0).
template <class T>
HWY_INLINE double Shift(std::int64_t n, const T* x) {
  const double largest = LargestOfRow(n, x);
  return largest == -std::numeric_limits<double>::infinity() ? 0 : largest;
}

template <class T>
void SoftmaxRow(std::int64_t n, const T* x, T* y) {
  const V64 shift = Set64(Shift(n, x));
  // The exponentials are summed as they are stored, one pass.
  V64 sums = hn::Zero(D64());
  ForEachVector(n, [&](std::int64_t i, auto part) HWY_ATTR {
    const V64 e = ExpFor<T>(hn::Sub(Load(x + i, part), shift));
    sums = hn::Add(sums, Within(e, part));
    Store(e, y + i, part);
  });
  const double sum = SumLanes(sums);
  const V64 scale = Set64(sum < 1 ? 0 : 1 / sum);  // the largest entry alone gives 1: below it all were -inf
  MapRow(
      n, [scale](V64 e) HWY_ATTR { return hn::Mul(e, scale); }, y, y);
}

template <class T>
void SoftmaxBackwardRow(std::int64_t n, const T* y, const T* dy, T* dx) {
  const V64 dot = Set64(SumRow(
      n, [](V64 a, V64 b) HWY_ATTR { return hn::Mul(a, b); }, y, dy));
  MapRow(
      n, [dot](V64 a, V64 b) HWY_ATTR { return hn::Mul(a, hn::Sub(b, dot)); }, dx, y, dy);
}

template <class T>
void LogSoftmaxRow(std::int64_t n, const T* x, T* y) {
  const V64 shift = Set64(Shift(n, x));
  const double sum = SumRow(
      n, [shift](V64 v) HWY_ATTR { return ExpFor<T>(hn::Sub(v, shift)); }, x);
  const V64 log_sum = Set64(sum < 1 ? 0 : std::log(sum));
  MapRow(
      n, [shift, log_sum](V64 v) HWY_ATTR { return hn::Sub(hn::Sub(v, shift), log_sum); }, y, x);
}

template <class T>
void LogSoftmaxBackwardRow(std::int64_t n, const T* y, const T* dy, T* dx) {
  const V64 sum = Set64(SumRow(
      n, [](V64 v) HWY_ATTR { return v; }, dy));
  MapRow(
      n, [sum](V64 a, V64 b) HWY_ATTR { return hn::NegMulAdd(ExpFor<T>(a), sum, b); }, dx, y, dy);
}

template <class T, class Row>
void ForEachRow(std::int64_t rows, std::int64_t n, const void* x_, void* y_, Row row) {
  const auto* x = static_cast<const T*>(x_);
  auto* y = static_cast<T*>(y_);
  for (std::int64_t r = 0; r < rows; ++r) row(n, x + r * n, y + r * n);
}

template <class T, class Row>
void ForEachRow(std::int64_t rows, std::int64_t n, const void* a_, const void* b_, void* y_, Row row) {
  const auto *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  auto* y = static_cast<T*>(y_);
  for (std::int64_t r = 0; r < rows; ++r) row(n, a + r * n, b + r * n, y + r * n);
}

void Softmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y) {
  if (dtype == f64)
    ForEachRow<double>(rows, n, x, y, &SoftmaxRow<double>);
  else
    ForEachRow<float>(rows, n, x, y, &SoftmaxRow<float>);
}

void SoftmaxBackward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx) {
  if (dtype == f64)
    ForEachRow<double>(rows, n, y, dy, dx, &SoftmaxBackwardRow<double>);
  else
    ForEachRow<float>(rows, n, y, dy, dx, &SoftmaxBackwardRow<float>);
}

void LogSoftmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y) {
  if (dtype == f64)
    ForEachRow<double>(rows, n, x, y, &LogSoftmaxRow<double>);
  else
    ForEachRow<float>(rows, n, x, y, &LogSoftmaxRow<float>);
}

void LogSoftmaxBackward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx) {
  if (dtype == f64)
    ForEachRow<double>(rows, n, y, dy, dx, &LogSoftmaxBackwardRow<double>);
  else
    ForEachRow<float>(rows, n, y, dy, dx, &LogSoftmaxBackwardRow<float>);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cstddef>

namespace ff::cpu {
namespace {

HWY_EXPORT(Softmax);
HWY_EXPORT(SoftmaxBackward);
HWY_EXPORT(LogSoftmax);
HWY_EXPORT(LogSoftmaxBackward);

// Calls body(first row, rows, offset of the first row in bytes).
template <class Body>
void for_row_blocks(DType dtype, std::int64_t rows, std::int64_t n, Body body) {
  if (n == 0) return;
  const std::int64_t grain = std::max<std::int64_t>(1, 16 * 1024 / n);
  const auto row_bytes = n * static_cast<std::int64_t>(size_of(dtype));
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) { body(end - begin, begin * row_bytes); });
}

const void* advance(const void* p, std::int64_t bytes) { return static_cast<const std::byte*>(p) + bytes; }
void* advance(void* p, std::int64_t bytes) { return static_cast<std::byte*>(p) + bytes; }

}  // namespace

void softmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y) {
  for_row_blocks(dtype, rows, n, [&](std::int64_t count, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(Softmax)(dtype, count, n, advance(x, at), advance(y, at));
  });
}

void softmax_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx) {
  for_row_blocks(dtype, rows, n, [&](std::int64_t count, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(SoftmaxBackward)(dtype, count, n, advance(y, at), advance(dy, at), advance(dx, at));
  });
}

void log_softmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y) {
  for_row_blocks(dtype, rows, n, [&](std::int64_t count, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(LogSoftmax)(dtype, count, n, advance(x, at), advance(y, at));
  });
}

void log_softmax_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* y, const void* dy, void* dx) {
  for_row_blocks(dtype, rows, n, [&](std::int64_t count, std::int64_t at) {
    HWY_DYNAMIC_DISPATCH(LogSoftmaxBackward)(dtype, count, n, advance(y, at), advance(dy, at), advance(dx, at));
  });
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
