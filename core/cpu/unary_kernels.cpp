#include "ff/core/cpu/elementwise_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/unary_kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

using DF32 = hn::ScalableTag<float>;

// Applies F, a captureless lambda of a vector of floats, to n floats.
template <class F>
void RunFloats(std::int64_t n, const void* x_, void* y_) {
  const auto* x = static_cast<const float*>(x_);
  auto* y = static_cast<float*>(y_);
  const DF32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(F()(hn::LoadU(d, x + i)), d, y + i);
  if (i == n) return;
  HWY_ALIGN float rest[hn::MaxLanes(DF32())] = {};
  std::memcpy(rest, x + i, static_cast<std::size_t>(n - i) * sizeof(float));
  hn::Store(F()(hn::Load(d, rest)), d, rest);
  std::memcpy(y + i, rest, static_cast<std::size_t>(n - i) * sizeof(float));
}

// Applies F, a captureless lambda of a vector of doubles, to n floats.
template <class F>
void RunWide(std::int64_t n, const void* x_, void* y_) {
  const auto* x = static_cast<const float*>(x_);
  auto* y = static_cast<float*>(y_);
  const std::int64_t lanes = WideLanes();
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) StoreWide(F()(LoadWide(x + i)), y + i);
  if (i < n) StoreWideN(F()(LoadWideN(x + i, n - i)), n - i, y + i);
}

template <class F>
UnaryKernel Floats(F) {
  return &RunFloats<F>;
}

template <class F>
UnaryKernel Wide(F) {
  return &RunWide<F>;
}

UnaryKernel FloatKernel(Unary op) {
  switch (op) {
    case Unary::neg:
      return Floats([](auto x) HWY_ATTR { return hn::Neg(x); });
    case Unary::abs:
      return Floats([](auto x) HWY_ATTR { return hn::Abs(x); });
    case Unary::sign:
      return Floats([](auto x) HWY_ATTR {
        const DF32 d;
        const auto one = hn::CopySign(hn::Set(d, 1.0f), x);
        return hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Zero(d)), one, hn::Add(x, hn::Zero(d)));  // NaN stays, -0 is 0
      });
    case Unary::square:
      return Floats([](auto x) HWY_ATTR { return hn::Mul(x, x); });
    case Unary::sqrt:
      return Floats([](auto x) HWY_ATTR { return hn::Sqrt(x); });
    case Unary::rsqrt:
      return Floats([](auto x) HWY_ATTR { return hn::Div(hn::Set(DF32(), 1.0f), hn::Sqrt(x)); });
    case Unary::reciprocal:
      return Floats([](auto x) HWY_ATTR { return hn::Div(hn::Set(DF32(), 1.0f), x); });
    case Unary::relu:
      return Floats([](auto x) HWY_ATTR { return hn::IfThenZeroElse(hn::Le(x, hn::Zero(DF32())), x); });
    case Unary::exp:
      return Wide([](auto x) HWY_ATTR { return Exp(x); });
    case Unary::expm1:
      return Wide([](auto x) HWY_ATTR { return Expm1(x); });
    case Unary::log:
      return Wide([](auto x) HWY_ATTR { return Log(x); });
    case Unary::log1p:
      return Wide([](auto x) HWY_ATTR { return Log1p(x); });
    case Unary::sin:
      return Wide([](auto x) HWY_ATTR { return SinCos(x).sin; });
    case Unary::cos:
      return Wide([](auto x) HWY_ATTR { return SinCos(x).cos; });
    case Unary::tanh:
      return Wide([](auto x) HWY_ATTR { return Tanh(x); });
    case Unary::sigmoid:
      return Wide([](auto x) HWY_ATTR { return Sigmoid(x); });
    case Unary::erf:
      return Wide([](auto x) HWY_ATTR { return Erf(x); });
    case Unary::sinc:
      return Wide([](auto x) HWY_ATTR { return Sinc(x); });
    case Unary::log_sinc:
      return Wide([](auto x) HWY_ATTR { return LogSinc(x); });
    case Unary::log_sinc_grad:
      return Wide([](auto x) HWY_ATTR { return LogSincGrad(x); });
    case Unary::log_sinc_grad2:
      return Wide([](auto x) HWY_ATTR { return LogSincGrad2(x); });
    case Unary::gelu:
      return Wide([](auto x) HWY_ATTR { return Gelu(x); });
    case Unary::logical_not:
      break;
  }
  return nullptr;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <type_traits>

#include "ff/core/check.h"
#include "ff/core/cpu/special.h"

namespace ff::cpu {
namespace {

HWY_EXPORT(FloatKernel);

template <class T, class F>
void run_scalars(std::int64_t n, const void* x_, void* y_) {
  const auto* x = static_cast<const T*>(x_);
  auto* y = static_cast<T*>(y_);
  for (std::int64_t i = 0; i < n; ++i) y[i] = F()(x[i]);
}

template <class T, class F>
UnaryKernel scalars(F) {
  return &run_scalars<T, F>;
}

UnaryKernel double_kernel(Unary op) {
  switch (op) {
    case Unary::neg:
      return scalars<double>([](double x) { return -x; });
    case Unary::abs:
      return scalars<double>([](double x) { return std::abs(x); });
    case Unary::sign:
      return scalars<double>([](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x + 0.0; });
    case Unary::square:
      return scalars<double>([](double x) { return x * x; });
    case Unary::sqrt:
      return scalars<double>([](double x) { return std::sqrt(x); });
    case Unary::rsqrt:
      return scalars<double>([](double x) { return 1 / std::sqrt(x); });
    case Unary::reciprocal:
      return scalars<double>([](double x) { return 1 / x; });
    case Unary::exp:
      return scalars<double>([](double x) { return std::exp(x); });
    case Unary::expm1:
      return scalars<double>([](double x) { return std::expm1(x); });
    case Unary::log:
      return scalars<double>([](double x) { return std::log(x); });
    case Unary::log1p:
      return scalars<double>([](double x) { return std::log1p(x); });
    case Unary::sin:
      return scalars<double>([](double x) { return std::sin(x); });
    case Unary::cos:
      return scalars<double>([](double x) { return std::cos(x); });
    case Unary::tanh:
      return scalars<double>([](double x) { return std::tanh(x); });
    case Unary::sigmoid:
      return scalars<double>([](double x) { return 1 / (1 + std::exp(-x)); });
    case Unary::erf:
      return scalars<double>([](double x) { return std::erf(x); });
    case Unary::sinc:
      return scalars<double>([](double x) { return sinc(x); });
    case Unary::log_sinc:
      return scalars<double>([](double x) { return log_sinc(x); });
    case Unary::log_sinc_grad:
      return scalars<double>([](double x) { return log_sinc_grad(x); });
    case Unary::log_sinc_grad2:
      return scalars<double>([](double x) { return log_sinc_grad2(x); });
    case Unary::relu:
      return scalars<double>([](double x) { return x <= 0 ? 0.0 : x; });
    case Unary::gelu:
      return scalars<double>([](double x) {
        const double c = x < -40 ? -40 : x;  // Phi(-40) is 0: keeps -inf from meeting it
        return c * normal_function(c);
      });
    case Unary::logical_not:
      break;
  }
  return nullptr;
}

// Integers wrap around, as two's complement does.
template <class T>
UnaryKernel integer_kernel(Unary op) {
  // Products of 64 unsigned bits, cut back: neither overflow nor promotion to int can be undefined.
  using U = std::uint64_t;
  switch (op) {
    case Unary::neg:
      return scalars<T>([](T x) { return static_cast<T>(U{0} - static_cast<U>(x)); });
    case Unary::abs:
      return scalars<T>([](T x) { return x < 0 ? static_cast<T>(U{0} - static_cast<U>(x)) : x; });
    case Unary::sign:
      return scalars<T>([](T x) { return static_cast<T>((x > 0) - (x < 0)); });
    case Unary::square:
      return scalars<T>([](T x) { return static_cast<T>(static_cast<U>(x) * static_cast<U>(x)); });
    case Unary::relu:
      return scalars<T>([](T x) { return x > 0 ? x : T{0}; });
    default:
      return nullptr;
  }
}

UnaryKernel boolean_kernel(Unary op) {
  if (op != Unary::logical_not) return nullptr;
  return scalars<std::uint8_t>([](std::uint8_t x) { return static_cast<std::uint8_t>(x == 0); });
}

UnaryKernel find(Unary op, DType dtype) {
  switch (dtype) {
    case f32:
      return HWY_DYNAMIC_DISPATCH(FloatKernel)(op);
    case f64:
      return double_kernel(op);
    case i32:
      return integer_kernel<std::int32_t>(op);
    case i64:
      return integer_kernel<std::int64_t>(op);
    case u8:
      return integer_kernel<std::uint8_t>(op);
    case boolean:
      break;
  }
  return boolean_kernel(op);
}

}  // namespace

UnaryKernel unary_kernel(Unary op, DType dtype) {
  UnaryKernel kernel = find(op, dtype);
  internal_check(kernel != nullptr, "unary operation without a kernel for this dtype");
  return kernel;
}

bool is_costly(Unary op) {
  switch (op) {
    case Unary::neg:
    case Unary::abs:
    case Unary::sign:
    case Unary::square:
    case Unary::relu:
    case Unary::logical_not:
      return false;
    default:
      return true;
  }
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
