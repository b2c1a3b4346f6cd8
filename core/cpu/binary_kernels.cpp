#include "ff/core/cpu/elementwise_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ff/core/cpu/binary_kernels.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h:
#include "ff/core/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ff::cpu {
namespace HWY_NAMESPACE {
namespace {

// Applies F, a captureless lambda of two vectors of floats, to n pairs of floats.
template <class F>
void RunFloats(std::int64_t n, const void* a_, const void* b_, void* y_) {
  const auto *a = static_cast<const float*>(a_), *b = static_cast<const float*>(b_);
  auto* y = static_cast<float*>(y_);
  const DF32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(F()(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  if (i == n) return;
  const std::size_t bytes = static_cast<std::size_t>(n - i) * sizeof(float);
  HWY_ALIGN float rest_a[hn::MaxLanes(DF32())] = {}, rest_b[hn::MaxLanes(DF32())] = {};
  std::memcpy(rest_a, a + i, bytes);
  std::memcpy(rest_b, b + i, bytes);
  hn::Store(F()(hn::Load(d, rest_a), hn::Load(d, rest_b)), d, rest_a);
  std::memcpy(y + i, rest_a, bytes);
}

// Applies F, a captureless lambda of two vectors of doubles, to n pairs of floats.
template <class F>
void RunWide(std::int64_t n, const void* a_, const void* b_, void* y_) {
  const auto *a = static_cast<const float*>(a_), *b = static_cast<const float*>(b_);
  auto* y = static_cast<float*>(y_);
  const std::int64_t lanes = WideLanes();
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) StoreWide(F()(LoadWide(a + i), LoadWide(b + i)), y + i);
  if (i < n) StoreWideN(F()(LoadWideN(a + i, n - i), LoadWideN(b + i, n - i)), n - i, y + i);
}

template <class F>
BinaryKernel Floats(F) {
  return &RunFloats<F>;
}

template <class F>
BinaryKernel Wide(F) {
  return &RunWide<F>;
}

// F takes floats where the machine has fused multiply-add, else doubles.
template <class F>
BinaryKernel FloatsIfFused(F f) {
  return HWY_NATIVE_FMA ? Floats(f) : Wide(f);
}

// The operations worth vectors by hand; null for the others.
BinaryKernel FloatKernel(Binary op) {
  switch (op) {
    case Binary::add:
      return Floats([](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
    case Binary::sub:
      return Floats([](auto a, auto b) HWY_ATTR { return hn::Sub(a, b); });
    case Binary::mul:
      return Floats([](auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
    case Binary::div:
      return Floats([](auto a, auto b) HWY_ATTR { return hn::Div(a, b); });
    case Binary::pow:
      return Wide([](auto x, auto y) HWY_ATTR { return Pow(x, y); });
    case Binary::atan2:
      return Wide([](auto y, auto x) HWY_ATTR { return Atan2(y, x); });
    case Binary::maximum:
      return Floats([](auto a, auto b) HWY_ATTR {
        const auto y = hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b));
        return hn::IfThenElse(hn::IsNaN(a), a, y);
      });
    case Binary::minimum:
      return Floats([](auto a, auto b) HWY_ATTR {
        const auto y = hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b));
        return hn::IfThenElse(hn::IsNaN(a), a, y);
      });
    case Binary::relu_grad:
      return Floats([](auto x, auto dy) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(x, hn::Zero(DF32())), dy); });
    case Binary::gelu_grad:
      return FloatsIfFused([](auto x, auto dy) HWY_ATTR { return GeluGrad(x, dy); });
    case Binary::gelu_tanh_grad:
      return Wide([](auto x, auto dy) HWY_ATTR { return GeluTanhGrad(x, dy); });
    case Binary::silu_grad:
      return Wide([](auto x, auto dy) HWY_ATTR { return SiluGrad(x, dy); });
    case Binary::softplus_grad:
      return Wide([](auto x, auto dy) HWY_ATTR { return hn::Mul(dy, Sigmoid(x)); });
    case Binary::mish_grad:
      return Wide([](auto x, auto dy) HWY_ATTR { return MishGrad(x, dy); });
    case Binary::tanh_grad:
      return Floats([](auto y, auto dy) HWY_ATTR { return hn::Mul(dy, hn::NegMulAdd(y, y, hn::Set(DF32(), 1.0f))); });
    case Binary::sigmoid_grad:
      return Floats([](auto y, auto dy)
                        HWY_ATTR { return hn::Mul(hn::Mul(dy, y), hn::Sub(hn::Set(DF32(), 1.0f), y)); });
    default:
      return nullptr;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ff::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ff/core/check.h"
#include "ff/core/cpu/special.h"

namespace ff::cpu {
namespace {

HWY_EXPORT(FloatKernel);

template <class T, class F>
void run_scalars(std::int64_t n, const void* a_, const void* b_, void* y_) {
  using Y = decltype(F()(T{}, T{}));
  const auto *a = static_cast<const T*>(a_), *b = static_cast<const T*>(b_);
  auto* y = static_cast<Y*>(y_);
  for (std::int64_t i = 0; i < n; ++i) y[i] = F()(a[i], b[i]);
}

template <class T, class F>
BinaryKernel scalars(F) {
  return &run_scalars<T, F>;
}

template <class T>
BinaryKernel comparison_kernel(Binary op) {
  using B = std::uint8_t;
  switch (op) {
    case Binary::eq:
      return scalars<T>([](T a, T b) -> B { return a == b; });
    case Binary::ne:
      return scalars<T>([](T a, T b) -> B { return a != b; });
    case Binary::lt:
      return scalars<T>([](T a, T b) -> B { return a < b; });
    case Binary::le:
      return scalars<T>([](T a, T b) -> B { return a <= b; });
    case Binary::gt:
      return scalars<T>([](T a, T b) -> B { return a > b; });
    case Binary::ge:
      return scalars<T>([](T a, T b) -> B { return a >= b; });
    default:
      return nullptr;
  }
}

BinaryKernel boolean_kernel(Binary op) {
  using B = std::uint8_t;
  if (op == Binary::logical_and) return scalars<B>([](B a, B b) -> B { return (a != 0) & (b != 0); });
  if (op == Binary::logical_or) return scalars<B>([](B a, B b) -> B { return (a != 0) | (b != 0); });
  if (op == Binary::logical_xor) return scalars<B>([](B a, B b) -> B { return (a != 0) != (b != 0); });
  return comparison_kernel<B>(op);
}

// fmod is exact; a remainder of the other sign than b's is moved by b.
template <class T>
T floating_remainder(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// As Python's: a rounded a / b would at times be the next integer.
template <class T>
T floating_floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T r = std::fmod(a, b);
  T q = (a - r) / b;
  if (r != 0 && (r < 0) != (b < 0)) q -= 1;
  if (q == 0) return std::copysign(T{0}, a / b);
  const T below = std::floor(q);
  return q - below > T(0.5) ? below + 1 : below;
}

template <class T>
BinaryKernel floating_kernel(Binary op) {
  switch (op) {
    case Binary::add:
      return scalars<T>([](T a, T b) { return a + b; });
    case Binary::sub:
      return scalars<T>([](T a, T b) { return a - b; });
    case Binary::mul:
      return scalars<T>([](T a, T b) { return a * b; });
    case Binary::div:
      return scalars<T>([](T a, T b) { return a / b; });
    case Binary::pow:
      return scalars<T>([](T a, T b) { return b == 2 ? a * a : std::pow(a, b); });
    case Binary::maximum:
      return scalars<T>([](T a, T b) { return std::isnan(a) || a > b ? a : b; });
    case Binary::minimum:
      return scalars<T>([](T a, T b) { return std::isnan(a) || a < b ? a : b; });
    case Binary::atan2:
      return scalars<T>([](T y, T x) { return std::atan2(y, x); });
    case Binary::remainder:
      return scalars<T>([](T a, T b) { return floating_remainder(a, b); });
    case Binary::fmod:
      return scalars<T>([](T a, T b) { return std::fmod(a, b); });
    case Binary::floor_divide:
      return scalars<T>([](T a, T b) { return floating_floor_divide(a, b); });
    case Binary::relu_grad:
      return scalars<T>([](T x, T dy) { return x > 0 ? dy : T{0}; });
    case Binary::gelu_grad:
      return scalars<T>([](T x, T dy) { return static_cast<T>(dy * gelu_slope(x)); });
    case Binary::gelu_tanh_grad:
      return scalars<T>([](T x, T dy) { return static_cast<T>(dy * gelu_tanh_slope(x)); });
    case Binary::silu_grad:
      return scalars<T>([](T x, T dy) { return static_cast<T>(dy * silu_slope(x)); });
    case Binary::softplus_grad:
      return scalars<T>([](T x, T dy) { return static_cast<T>(dy * sigmoid(x)); });
    case Binary::mish_grad:
      return scalars<T>([](T x, T dy) { return static_cast<T>(dy * mish_slope(x)); });
    case Binary::tanh_grad:
      return scalars<T>([](T y, T dy) { return dy * (1 - y * y); });
    case Binary::sigmoid_grad:
      return scalars<T>([](T y, T dy) { return dy * y * (1 - y); });
    default:
      return comparison_kernel<T>(op);
  }
}

// Integers wrap around, as two's complement does; a quotient or remainder by 0 is 0.
template <class T>
T divide(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(a));
  return static_cast<T>(a / b);
}

// Of a's sign.
template <class T>
T integer_fmod(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;  // the lowest number would trap
  return static_cast<T>(a % b);
}

// Of b's sign.
template <class T>
T integer_remainder(T a, T b) {
  const T r = integer_fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
}

template <class T>
T integer_floor_divide(T a, T b) {
  const T q = divide(a, b), r = integer_fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(q - 1) : q;
}

template <class T>
bool shifts_out(T count) {
  return count < 0 || static_cast<std::uint64_t>(count) >= 8 * sizeof(T);
}

template <class T>
T shift_left(T a, T count) {
  return shifts_out(count) ? T{0} : static_cast<T>(static_cast<std::uint64_t>(a) << count);
}

template <class T>
T shift_right(T a, T count) {
  if (shifts_out(count)) return static_cast<T>(a < 0 ? -1 : 0);
  return static_cast<T>(a >> count);
}

// x^n by squaring. Negative powers are those of 1 and -1, and 0 for the rest.
template <class T>
T integer_pow(T x, T n) {
  if (n < 0) return x == 1 ? T{1} : x == static_cast<T>(-1) ? static_cast<T>(n % 2 == 0 ? 1 : -1) : T{0};
  std::uint64_t y = 1, square = static_cast<std::uint64_t>(x);
  for (auto bits = static_cast<std::uint64_t>(n); bits != 0; bits >>= 1, square *= square)
    if (bits & 1) y *= square;
  return static_cast<T>(y);
}

template <class T>
BinaryKernel integer_kernel(Binary op) {
  using U = std::uint64_t;
  switch (op) {
    case Binary::add:
      return scalars<T>([](T a, T b) { return static_cast<T>(static_cast<U>(a) + static_cast<U>(b)); });
    case Binary::sub:
      return scalars<T>([](T a, T b) { return static_cast<T>(static_cast<U>(a) - static_cast<U>(b)); });
    case Binary::mul:
      return scalars<T>([](T a, T b) { return static_cast<T>(static_cast<U>(a) * static_cast<U>(b)); });
    case Binary::div:
      return scalars<T>([](T a, T b) { return divide(a, b); });
    case Binary::pow:
      return scalars<T>([](T a, T b) { return integer_pow(a, b); });
    case Binary::maximum:
      return scalars<T>([](T a, T b) { return std::max(a, b); });
    case Binary::minimum:
      return scalars<T>([](T a, T b) { return std::min(a, b); });
    case Binary::remainder:
      return scalars<T>([](T a, T b) { return integer_remainder(a, b); });
    case Binary::fmod:
      return scalars<T>([](T a, T b) { return integer_fmod(a, b); });
    case Binary::floor_divide:
      return scalars<T>([](T a, T b) { return integer_floor_divide(a, b); });
    case Binary::bitwise_and:
      return scalars<T>([](T a, T b) { return static_cast<T>(a & b); });
    case Binary::bitwise_or:
      return scalars<T>([](T a, T b) { return static_cast<T>(a | b); });
    case Binary::bitwise_xor:
      return scalars<T>([](T a, T b) { return static_cast<T>(a ^ b); });
    case Binary::left_shift:
      return scalars<T>([](T a, T b) { return shift_left(a, b); });
    case Binary::right_shift:
      return scalars<T>([](T a, T b) { return shift_right(a, b); });
    case Binary::relu_grad:
      return scalars<T>([](T x, T dy) { return x > 0 ? dy : T{0}; });
    default:
      return comparison_kernel<T>(op);
  }
}

BinaryKernel find(Binary op, DType dtype) {
  switch (dtype) {
    case f32: {
      const BinaryKernel kernel = HWY_DYNAMIC_DISPATCH(FloatKernel)(op);
      return kernel != nullptr ? kernel : floating_kernel<float>(op);
    }
    case f64:
      return floating_kernel<double>(op);
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

BinaryKernel binary_kernel(Binary op, DType dtype) {
  BinaryKernel kernel = find(op, dtype);
  internal_check(kernel != nullptr, "binary operation without a kernel for this dtype");
  return kernel;
}

bool is_costly(Binary op) {
  switch (op) {
    case Binary::pow:
    case Binary::atan2:
    case Binary::remainder:
    case Binary::fmod:
    case Binary::floor_divide:
    case Binary::gelu_grad:
    case Binary::gelu_tanh_grad:
    case Binary::silu_grad:
    case Binary::softplus_grad:
    case Binary::mish_grad:
      return true;
    default:
      return false;
  }
}

}  // namespace ff::cpu
#endif  // HWY_ONCE
