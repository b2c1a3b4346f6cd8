#include "ff/core/dtype.h"

namespace ff {

std::string_view name(DType dtype) {
  switch (dtype) {
    case f32:
      return "f32";
    case f64:
      return "f64";
    case i32:
      return "i32";
    case i64:
      return "i64";
    case u8:
      return "u8";
    case boolean:
      break;
  }
  return "boolean";
}

std::size_t size_of(DType dtype) {
  return dispatch(dtype, [](auto tag) { return sizeof(tag); });
}

DType promote(DType a, DType b) {
  // In this order the wider of two dtypes is the later one.
  auto rank = [](DType d) {
    switch (d) {
      case boolean:
        return 0;
      case u8:
        return 1;
      case i32:
        return 2;
      case i64:
        return 3;
      case f32:
        return 4;
      case f64:
        break;
    }
    return 5;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace ff
