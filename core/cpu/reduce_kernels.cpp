#include "ff/core/cpu/reduce_kernels.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/reduce_kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include <hwy/highway.h>

// The loops below are plain C++ that the compiler turns into vectors of each target: accumulators are arrays, so that
// no reordering of floating sums is asked of it.

#ifndef FF_CORE_CPU_REDUCE_OPERATIONS
#define FF_CORE_CPU_REDUCE_OPERATIONS
namespace ff::cpu {
namespace {

// Each operation on accumulators of type A. Integers wrap around.
struct Sum {
  template <class A>
  static constexpr A identity() {
    return A{0};
  }
  template <class A>
  static A combine(A a, A b) {
    if constexpr (std::is_floating_point_v<A>)
      return a + b;
    else
      return static_cast<A>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  }
};

struct Prod {
  template <class A>
  static constexpr A identity() {
    return A{1};
  }
  template <class A>
  static A combine(A a, A b) {
    if constexpr (std::is_floating_point_v<A>)
      return a * b;
    else
      return static_cast<A>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  }
};

struct Max {
  template <class A>
  static constexpr A identity() {
    return std::is_floating_point_v<A> ? -std::numeric_limits<A>::infinity() : std::numeric_limits<A>::lowest();
  }
  template <class A>
  static A combine(A a, A b) {
    const A larger = b > a ? b : a;
    return b != b ? b : larger;  // a NaN in a stays: no comparison with it holds
  }
};

struct Min {
  template <class A>
  static constexpr A identity() {
    return std::is_floating_point_v<A> ? std::numeric_limits<A>::infinity() : std::numeric_limits<A>::max();
  }
  template <class A>
  static A combine(A a, A b) {
    const A smaller = b < a ? b : a;
    return b != b ? b : smaller;
  }
};

struct Any {
  template <class A>
  static constexpr A identity() {
    return A{0};
  }
  template <class A>
  static A combine(A a, A b) {
    return static_cast<A>((a | b) != 0);
  }
};

struct All {
  template <class A>
  static constexpr A identity() {
    return A{1};
  }
  template <class A>
  static A combine(A a, A b) {
    return static_cast<A>((a != 0) & (b != 0));
  }
};

}  // namespace
}  // namespace ff::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

template <class Op, class T, class A>
void Row(std::int64_t n, const void* x_, void* acc_) {
  constexpr std::int64_t lanes = 256 / sizeof(A);
  const auto* x = static_cast<const T*>(x_);
  A total = Op::template identity<A>();
  std::int64_t i = 0;
  if (n >= lanes) {
    A acc[lanes];
    for (std::int64_t l = 0; l < lanes; ++l) acc[l] = static_cast<A>(x[l]);
    for (i = lanes; i + lanes <= n; i += lanes)
      for (std::int64_t l = 0; l < lanes; ++l) acc[l] = Op::combine(acc[l], static_cast<A>(x[i + l]));
    for (std::int64_t half = lanes / 2; half > 0; half /= 2)
      for (std::int64_t l = 0; l < half; ++l) acc[l] = Op::combine(acc[l], acc[l + half]);
    total = acc[0];
  }
  for (; i < n; ++i) total = Op::combine(total, static_cast<A>(x[i]));
  *static_cast<A*>(acc_) = total;
}

template <class Op, class T, class A>
void Columns(std::int64_t rows, std::int64_t stride, std::int64_t width, const void* x_, void* acc_) {
  const auto* HWY_RESTRICT x = static_cast<const T*>(x_);
  auto* HWY_RESTRICT acc = static_cast<A*>(acc_);
  for (std::int64_t c = 0; c < width; ++c) acc[c] = Op::template identity<A>();
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * stride)
    for (std::int64_t c = 0; c < width; ++c) {
      const A low = Op::combine(static_cast<A>(x[c]), static_cast<A>(x[c + stride]));
      const A high = Op::combine(static_cast<A>(x[c + 2 * stride]), static_cast<A>(x[c + 3 * stride]));
      acc[c] = Op::combine(acc[c], Op::combine(low, high));
    }
  for (; r < rows; ++r, x += stride)
    for (std::int64_t c = 0; c < width; ++c) acc[c] = Op::combine(acc[c], static_cast<A>(x[c]));
}

template <class Op, class T, class A>
ReduceKernels Kernels() {
  return {&Row<Op, T, A>, &Columns<Op, T, A>};
}

template <class Op>
ReduceKernels Accumulating(DType dtype) {
  switch (dtype) {
    case f32:
      return Kernels<Op, float, double>();
    case f64:
      return Kernels<Op, double, double>();
    case i32:
      return Kernels<Op, std::int32_t, std::int64_t>();
    case i64:
      return Kernels<Op, std::int64_t, std::int64_t>();
    case u8:
      return Kernels<Op, std::uint8_t, std::int64_t>();
    case boolean:
      break;
  }
  return {};
}

template <class Op>
ReduceKernels Extreme(DType dtype) {
  switch (dtype) {
    case f32:
      return Kernels<Op, float, float>();
    case f64:
      return Kernels<Op, double, double>();
    case i32:
      return Kernels<Op, std::int32_t, std::int32_t>();
    case i64:
      return Kernels<Op, std::int64_t, std::int64_t>();
    case u8:
      return Kernels<Op, std::uint8_t, std::uint8_t>();
    case boolean:
      break;
  }
  return {};
}

ReduceKernels Find(Reduction op, DType dtype) {
  switch (op) {
    case Reduction::sum:
      return Accumulating<Sum>(dtype);
    case Reduction::prod:
      return Accumulating<Prod>(dtype);
    case Reduction::max:
      return Extreme<Max>(dtype);
    case Reduction::min:
      return Extreme<Min>(dtype);
    case Reduction::any:
      return dtype == boolean ? Kernels<Any, std::uint8_t, std::uint8_t>() : ReduceKernels{};
    case Reduction::all:
      return dtype == boolean ? Kernels<All, std::uint8_t, std::uint8_t>() : ReduceKernels{};
  }
  return {};
}

// Zeros outside of runs add nothing, and are passed over by whole groups of lanes.
template <class T>
double SumOfSquares(std::int64_t n, const T* x, const std::vector<Run>& runs) {
  constexpr std::int64_t lanes = 32;
  double acc[lanes] = {};
  const std::int64_t whole = n / lanes * lanes;
  std::int64_t i = 0;
  for (const Run& run : runs) {
    i = std::max(i, run.begin / lanes * lanes);
    for (const std::int64_t end = std::min(run.end, whole); i < end; i += lanes)
      for (std::int64_t l = 0; l < lanes; ++l) acc[l] += static_cast<double>(x[i + l]) * static_cast<double>(x[i + l]);
  }
  for (std::int64_t half = lanes / 2; half > 0; half /= 2)
    for (std::int64_t l = 0; l < half; ++l) acc[l] += acc[l + half];
  for (i = whole; i < n; ++i) acc[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return acc[0];
}

double SumOfSquaresOf(DType dtype, std::int64_t n, const void* x, const std::vector<Run>& runs) {
  return dtype == f64 ? SumOfSquares(n, static_cast<const double*>(x), runs)
                      : SumOfSquares(n, static_cast<const float*>(x), runs);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "ff/core/check.h"

namespace ff::cpu {
namespace {
HWY_EXPORT(Find);
HWY_EXPORT(SumOfSquaresOf);
}  // namespace

DType accumulator_dtype(Reduction op, DType dtype) {
  if (op != Reduction::sum && op != Reduction::prod) return dtype;
  return is_floating(dtype) ? f64 : i64;
}

ReduceKernels reduce_kernels(Reduction op, DType dtype) {
  const ReduceKernels kernels = HWY_DYNAMIC_DISPATCH(Find)(op, dtype);
  internal_check(kernels.row != nullptr, "reduction without a kernel for this dtype");
  return kernels;
}

double sum_of_squares_kernel(DType dtype, std::int64_t n, const void* x, const std::vector<Run>& runs) {
  return HWY_DYNAMIC_DISPATCH(SumOfSquaresOf)(dtype, n, x, runs);
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
