#include "ff/core/cpu/elementwise_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/unary_kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

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

// F takes floats where the machine has fused multiply-add, else doubles.
template <class F>
UnaryKernel FloatsIfFused(F f) {
  return HWY_NATIVE_FMA ? Floats(f) : Wide(f);
}

// The operations worth vectors; null for the others.
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
    case Unary::floor:  // the sign of a zero is x's, which Highway's emulated target forgets
      return Floats([](auto x) HWY_ATTR { return hn::CopySign(hn::Floor(x), x); });
    case Unary::ceil:
      return Floats([](auto x) HWY_ATTR { return hn::CopySign(hn::Ceil(x), x); });
    case Unary::round:
      return Floats([](auto x) HWY_ATTR { return hn::CopySign(hn::Round(x), x); });
    case Unary::trunc:
      return Floats([](auto x) HWY_ATTR { return hn::CopySign(hn::Trunc(x), x); });
    case Unary::frac:
      return Floats([](auto x) HWY_ATTR { return hn::Sub(x, hn::CopySign(hn::Trunc(x), x)); });
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
    case Unary::exp2:
      return Wide([](auto x) HWY_ATTR { return Exp2(x); });
    case Unary::expm1:
      return Wide([](auto x) HWY_ATTR { return Expm1(x); });
    case Unary::log:
      return Wide([](auto x) HWY_ATTR { return Log(x); });
    case Unary::log2:
      return Wide([](auto x) HWY_ATTR { return Log2(x); });
    case Unary::log10:
      return Wide([](auto x) HWY_ATTR { return Log10(x); });
    case Unary::log1p:
      return Wide([](auto x) HWY_ATTR { return Log1p(x); });
    case Unary::sin:
      return Wide([](auto x) HWY_ATTR { return SinCos(x).sin; });
    case Unary::cos:
      return Wide([](auto x) HWY_ATTR { return SinCos(x).cos; });
    case Unary::tan:
      return Wide([](auto x) HWY_ATTR { return Tan(x); });
    case Unary::asin:
      return Wide([](auto x) HWY_ATTR { return Asin(x); });
    case Unary::acos:
      return Wide([](auto x) HWY_ATTR { return Acos(x); });
    case Unary::atan:
      return Wide([](auto x) HWY_ATTR { return Atan(x); });
    case Unary::sinh:
      return Wide([](auto x) HWY_ATTR { return Sinh(x); });
    case Unary::cosh:
      return Wide([](auto x) HWY_ATTR { return Cosh(x); });
    case Unary::tanh:
      return Wide([](auto x) HWY_ATTR { return Tanh(x); });
    case Unary::asinh:
      return Wide([](auto x) HWY_ATTR { return Asinh(x); });
    case Unary::acosh:
      return Wide([](auto x) HWY_ATTR { return Acosh(x); });
    case Unary::atanh:
      return Wide([](auto x) HWY_ATTR { return Atanh(x); });
    case Unary::sigmoid:
      return Wide([](auto x) HWY_ATTR { return Sigmoid(x); });
    case Unary::erf:
      return Wide([](auto x) HWY_ATTR { return Erf(x); });
    case Unary::erfc:
      return Wide([](auto x) HWY_ATTR { return Erfc(x); });
    case Unary::sinc:
      return Wide([](auto x) HWY_ATTR { return Sinc(x); });
    case Unary::log_sinc:
      return Wide([](auto x) HWY_ATTR { return LogSinc(x); });
    case Unary::log_sinc_grad:
      return Wide([](auto x) HWY_ATTR { return LogSincGrad(x); });
    case Unary::log_sinc_grad2:
      return Wide([](auto x) HWY_ATTR { return LogSincGrad2(x); });
    case Unary::gelu:
      return FloatsIfFused([](auto x) HWY_ATTR { return Gelu(x); });
    case Unary::gelu_tanh:
      return Wide([](auto x) HWY_ATTR { return GeluTanh(x); });
    case Unary::silu:
      return Wide([](auto x) HWY_ATTR { return Silu(x); });
    case Unary::softplus:
      return Wide([](auto x) HWY_ATTR { return Softplus(x); });
    case Unary::mish:
      return Wide([](auto x) HWY_ATTR { return Mish(x); });
    default:
      return nullptr;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <cmath>
#include <type_traits>

#include "ff/core/check.h"
#include "ff/core/cpu/gamma.h"
#include "ff/core/cpu/special.h"

namespace ff::cpu {
namespace {

HWY_EXPORT(FloatKernel);

template <class T, class F>
void run_scalars(std::int64_t n, const void* x_, void* y_) {
  using Y = decltype(F()(T{}));
  const auto* x = static_cast<const T*>(x_);
  auto* y = static_cast<Y*>(y_);
  for (std::int64_t i = 0; i < n; ++i) y[i] = F()(x[i]);
}

template <class T, class F>
UnaryKernel scalars(F) {
  return &run_scalars<T, F>;
}

template <class T>
UnaryKernel predicate_kernel(Unary op) {
  using B = std::uint8_t;
  const bool floating = std::is_floating_point_v<T>;
  switch (op) {
    case Unary::isnan:
      return scalars<T>([](T x) -> B { return x != x; });
    case Unary::isinf:
      return scalars<T>([](T x) -> B { return floating && x == x && x - x != T{0}; });
    case Unary::isfinite:
      return scalars<T>([](T x) -> B { return !floating || x - x == T{0}; });
    default:
      return nullptr;
  }
}

// What is computed one by one in f32 as in f64, but in double.
template <class T>
UnaryKernel rare_kernel(Unary op) {
  switch (op) {
    case Unary::lgamma:
      return scalars<T>([](T x) { return static_cast<T>(log_gamma(x)); });
    case Unary::digamma:
      return scalars<T>([](T x) { return static_cast<T>(digamma(x)); });
    case Unary::trigamma:
      return scalars<T>([](T x) { return static_cast<T>(trigamma(x)); });
    case Unary::tetragamma:
      return scalars<T>([](T x) { return static_cast<T>(tetragamma(x)); });
    default:
      return predicate_kernel<T>(op);
  }
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
    case Unary::floor:
      return scalars<double>([](double x) { return std::floor(x); });
    case Unary::ceil:
      return scalars<double>([](double x) { return std::ceil(x); });
    case Unary::round:
      return scalars<double>([](double x) { return std::nearbyint(x); });
    case Unary::trunc:
      return scalars<double>([](double x) { return std::trunc(x); });
    case Unary::frac:
      return scalars<double>([](double x) { return x - std::trunc(x); });
    case Unary::sqrt:
      return scalars<double>([](double x) { return std::sqrt(x); });
    case Unary::rsqrt:
      return scalars<double>([](double x) { return 1 / std::sqrt(x); });
    case Unary::reciprocal:
      return scalars<double>([](double x) { return 1 / x; });
    case Unary::exp:
      return scalars<double>([](double x) { return std::exp(x); });
    case Unary::exp2:
      return scalars<double>([](double x) { return std::exp2(x); });
    case Unary::expm1:
      return scalars<double>([](double x) { return std::expm1(x); });
    case Unary::log:
      return scalars<double>([](double x) { return std::log(x); });
    case Unary::log2:
      return scalars<double>([](double x) { return std::log2(x); });
    case Unary::log10:
      return scalars<double>([](double x) { return std::log10(x); });
    case Unary::log1p:
      return scalars<double>([](double x) { return std::log1p(x); });
    case Unary::sin:
      return scalars<double>([](double x) { return std::sin(x); });
    case Unary::cos:
      return scalars<double>([](double x) { return std::cos(x); });
    case Unary::tan:
      return scalars<double>([](double x) { return std::tan(x); });
    case Unary::asin:
      return scalars<double>([](double x) { return std::asin(x); });
    case Unary::acos:
      return scalars<double>([](double x) { return std::acos(x); });
    case Unary::atan:
      return scalars<double>([](double x) { return std::atan(x); });
    case Unary::sinh:
      return scalars<double>([](double x) { return std::sinh(x); });
    case Unary::cosh:
      return scalars<double>([](double x) { return std::cosh(x); });
    case Unary::tanh:
      return scalars<double>([](double x) { return std::tanh(x); });
    case Unary::asinh:
      return scalars<double>([](double x) { return std::asinh(x); });
    case Unary::acosh:
      return scalars<double>([](double x) { return std::acosh(x); });
    case Unary::atanh:
      return scalars<double>([](double x) { return std::atanh(x); });
    case Unary::sigmoid:
      return scalars<double>([](double x) { return sigmoid(x); });
    case Unary::erf:
      return scalars<double>([](double x) { return std::erf(x); });
    case Unary::erfc:
      return scalars<double>([](double x) { return std::erfc(x); });
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
      return scalars<double>([](double x) { return gelu(x); });
    case Unary::gelu_tanh:
      return scalars<double>([](double x) { return gelu_tanh(x); });
    case Unary::silu:
      return scalars<double>([](double x) { return silu(x); });
    case Unary::softplus:
      return scalars<double>([](double x) { return softplus(x); });
    case Unary::mish:
      return scalars<double>([](double x) { return mish(x); });
    default:
      return rare_kernel<double>(op);
  }
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
    case Unary::floor:
    case Unary::ceil:
    case Unary::round:
    case Unary::trunc:
      return scalars<T>([](T x) { return x; });
    case Unary::bitwise_not:
      return scalars<T>([](T x) { return static_cast<T>(~x); });
    default:
      return predicate_kernel<T>(op);
  }
}

UnaryKernel boolean_kernel(Unary op) {
  using B = std::uint8_t;
  if (op == Unary::logical_not) return scalars<B>([](B x) -> B { return x == 0; });
  return predicate_kernel<B>(op);
}

UnaryKernel find(Unary op, DType dtype) {
  switch (dtype) {
    case f32: {
      const UnaryKernel kernel = HWY_DYNAMIC_DISPATCH(FloatKernel)(op);
      return kernel != nullptr ? kernel : rare_kernel<float>(op);
    }
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

bool is_costly(Unary op) { return (op >= Unary::sqrt && op < Unary::bitwise_not) && op != Unary::relu; }

}  // namespace ff::cpu
#endif  // HWY_ONCE
