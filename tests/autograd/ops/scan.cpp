#include "ff/autograd/ops/scan.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/support/errors.h"

using namespace ff;

TEST_CASE("cumsum and cumprod: values and dtypes along either dimension") {
  const Tensor x = reshape(Tensor::from({1.0f, 2.0f, 3.0f, 4.0f, -5.0f, 6.0f}), {2, 3});
  CHECK(cumsum(x, 1).to_vector<float>() == std::vector<float>{1, 3, 6, 4, -1, 5});
  CHECK(cumsum(x, -2).to_vector<float>() == std::vector<float>{1, 2, 3, 5, -3, 9});
  CHECK(cumprod(x, 1).to_vector<float>() == std::vector<float>{1, 2, 6, 4, -20, -120});
  CHECK(cumprod(x, 0).to_vector<float>() == std::vector<float>{1, 2, 3, 4, -10, 18});
  CHECK(cumsum(x, 0).dtype() == f32);
  for (DType dtype : {i32, i64, u8, boolean}) {
    const Tensor n = cast(ones({300}), dtype);
    CHECK(cumsum(n, 0).dtype() == i64);
    CHECK(select(cumsum(n, 0), 0, 299).item<std::int64_t>() == 300);
    CHECK(cumprod(n, 0).dtype() == i64);
  }
}

TEST_CASE("cumsum and cumprod of a scalar or of nothing") {
  const Tensor scalar = Tensor::scalar(3);
  CHECK(cumsum(scalar, 0).item<float>() == 3);
  CHECK(cumprod(scalar, -1).item<float>() == 3);
  CHECK(cumsum(scalar, 0).rank() == 0);
  CHECK(cumsum(zeros({2, 0}), 1).shape() == Shape{2, 0});
  CHECK(cumprod(zeros({0, 2}), 0).shape() == Shape{0, 2});
}

TEST_CASE("cumsum and cumprod name a dimension that is not there") {
  CHECK(test::contains(test::error_of([] { cumsum(zeros({2, 3}), 2); }), {"[cumsum]", "dimension out of range: 2"}));
  CHECK(test::contains(test::error_of([] { cumprod(zeros({2, 3}), -3); }), {"[cumprod]", "out of range: -3"}));
}
