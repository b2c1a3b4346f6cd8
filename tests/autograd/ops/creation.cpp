#include "ff/autograd/ops/creation.h"

#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("creation: like another tensor") {
  const Tensor x = zeros({2, 3}, {.dtype = i32});
  for (const Tensor& y : {empty_like(x), zeros_like(x), ones_like(x), full_like(x, 7)}) {
    CHECK(y.shape() == x.shape());
    CHECK(y.dtype() == i32);
  }
  CHECK(integers(full_like(x, 7)) == Ints(6, 7));
  CHECK(rand_like(zeros({2}, {.dtype = f64})).dtype() == f64);
  CHECK(randn_like(zeros({2, 0})).shape() == Shape{2, 0});
  CHECK(error_of([&] { rand_like(x); }).find("[rand_like] a floating dtype is needed: i32") == 0);
}

TEST_CASE("creation: ranges") {
  CHECK(integers(arange(3, -2, -2, {.dtype = i64})) == Ints{3, 1, -1});
  CHECK(arange(0, 1, 0.25).to_vector<float>() == std::vector<float>{0, 0.25f, 0.5f, 0.75f});
  CHECK(arange(2, 1).numel() == 0);
  CHECK(linspace(0, 1, 5).to_vector<float>() == std::vector<float>{0, 0.25f, 0.5f, 0.75f, 1});
  CHECK(linspace(3, 4, 1).item<float>() == 3);
  CHECK(integers(logspace(0, 3, 4)) == Ints{1, 10, 100, 1000});
  CHECK(integers(logspace(-1, 4, 2, 2, {.dtype = i64})) == Ints{0, 16});
  CHECK(integers(eye(2)) == Ints{1, 0, 0, 1});
  CHECK(integers(arange(-1, 400, 200, {.dtype = u8})) == Ints{0, 199, 255});  // the nearest in range
  CHECK(error_of([] { arange(0, 1, 0); }).find("[arange]") == 0);
  CHECK(error_of([] { arange(0, 1e300); }).find("[arange] too many numbers") == 0);
  CHECK(error_of([] { logspace(0, 1, -1); }).find("[logspace] a negative count: -1") == 0);
}

TEST_CASE("creation: a shape too large is refused") {
  CHECK(error_of([] {
          zeros({std::int64_t{1} << 40, std::int64_t{1} << 40});
        }).find("has more elements than can be counted") != std::string::npos);
  CHECK(error_of([] { zeros({std::int64_t{1} << 62}); }).find("[empty] more elements than memory can hold") == 0);
  CHECK(zeros({std::int64_t{1} << 40, 0, std::int64_t{1} << 40}).numel() == 0);
}
