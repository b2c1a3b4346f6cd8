#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace ff {

/// Element types of a Tensor. boolean is one byte, 0 or 1.
enum class DType : std::uint8_t { f32, f64, i32, i64, u8, boolean };

inline constexpr DType f32 = DType::f32;
inline constexpr DType f64 = DType::f64;
inline constexpr DType i32 = DType::i32;
inline constexpr DType i64 = DType::i64;
inline constexpr DType u8 = DType::u8;
inline constexpr DType boolean = DType::boolean;

/// "f32", "f64", "i32", "i64", "u8", "boolean".
std::string_view name(DType dtype);

/// Bytes an element takes.
std::size_t size_of(DType dtype);

constexpr bool is_floating(DType dtype) { return dtype == f32 || dtype == f64; }

/// The dtype an operation on a and b works in, as PyTorch's: floating over integer over boolean, the wider within a
/// kind, and u8 with i32 or i64 gives the signed one.
DType promote(DType a, DType b);

/// The C++ type's dtype: dtype_of<float>() == f32.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return f32;
  else if constexpr (std::is_same_v<T, double>)
    return f64;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return i32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return i64;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return u8;
  else {
    static_assert(std::is_same_v<T, bool>, "not an element type of a Tensor");
    return boolean;
  }
}

/// Calls f with a value of the C++ type of dtype, to be used as `dispatch(dtype, [&](auto tag) { using T =
/// decltype(tag); ... })`.
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case f32:
      return f(float{});
    case f64:
      return f(double{});
    case i32:
      return f(std::int32_t{});
    case i64:
      return f(std::int64_t{});
    case u8:
      return f(std::uint8_t{});
    case boolean:
      break;
  }
  return f(bool{});
}

/// dispatch() over f32 and f64 alone; any other dtype is taken for f32, so check before.
template <class F>
decltype(auto) dispatch_floating(DType dtype, F&& f) {
  return dtype == f64 ? f(double{}) : f(float{});
}

}  // namespace ff
