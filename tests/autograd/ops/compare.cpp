#include "ff/autograd/ops/compare.h"

#include <limits>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

using namespace ff;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
using Bits = std::vector<int>;

Bits bits(const Tensor& x) {
  CHECK(x.dtype() == boolean);
  return x.to_vector<int>();
}

}  // namespace

TEST_CASE("logic takes any dtype: what is not 0 is true") {
  const Tensor a = Tensor::from({0.0, -0.0, 0.5, nan}), b = Tensor::from<std::int32_t>({0, 7, -7, 0});
  CHECK(bits(logical_and(a, b)) == Bits{0, 0, 1, 0});
  CHECK(bits(logical_or(a, b)) == Bits{0, 1, 1, 1});
  CHECK(bits(logical_xor(a, b)) == Bits{0, 1, 0, 1});
  CHECK(bits(logical_not(a)) == Bits{1, 1, 0, 0});
  CHECK(bits(logical_xor(gt(a, 0), Tensor::from<std::uint8_t>({1}))) == Bits{1, 1, 0, 1});
}

TEST_CASE("isnan, isinf and isfinite of every dtype and layout") {
  const Tensor x = reshape(Tensor::from({1.0, nan, infinity, -infinity, 0.0, -2.0}), {2, 3});
  CHECK(bits(isnan(x)) == Bits{0, 1, 0, 0, 0, 0});
  CHECK(bits(isinf(x)) == Bits{0, 0, 1, 1, 0, 0});
  CHECK(bits(isfinite(x)) == Bits{1, 0, 0, 0, 1, 1});
  CHECK(bits(isinf(transpose(cast(x, f32), 0, 1))) == Bits{0, 1, 0, 0, 1, 0});
  for (DType dtype : {i32, i64, u8, boolean}) {
    const Tensor ones_of = ones({2}, {.dtype = dtype});
    CHECK(bits(isnan(ones_of)) == Bits{0, 0});
    CHECK(bits(isinf(ones_of)) == Bits{0, 0});
    CHECK(bits(isfinite(ones_of)) == Bits{1, 1});
  }
  CHECK(isnan(zeros({0, 2})).shape() == Shape{0, 2});
}
