#include "ff/autograd/ops/pad.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("pad: each mode, hand-made") {
  const Tensor x = Tensor::from<std::int64_t>({1, 2, 3, 4});
  CHECK(integers(pad(x, {1, 2}, PadMode::constant, 9)) == Ints{9, 1, 2, 3, 4, 9, 9});
  CHECK(integers(pad(x, {3, 2}, PadMode::reflect)) == Ints{4, 3, 2, 1, 2, 3, 4, 3, 2});
  CHECK(integers(pad(x, {2, 3}, PadMode::replicate)) == Ints{1, 1, 1, 2, 3, 4, 4, 4, 4});
  CHECK(integers(pad(x, {3, 4}, PadMode::circular)) == Ints{2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(integers(pad(x, {-1, 1})) == Ints{2, 3, 4, 0});
  CHECK(integers(pad(x, {1, -3}, PadMode::circular)) == Ints{4, 1});
  CHECK(integers(pad(x, {-2, 2}, PadMode::reflect)) == Ints{3, 4, 3, 2});
  CHECK(integers(pad(x, {-6, 5}, PadMode::constant, 8)) == Ints{8, 8, 8});  // all of x cut off
}

TEST_CASE("pad: the last dimension comes first") {
  const Tensor x = reshape(arange(1, 5, 1, {.dtype = i64}), {2, 2});
  CHECK(integers(pad(x, {1, 0, 0, 1})) == Ints{0, 1, 2, 0, 3, 4, 0, 0, 0});
  CHECK(integers(pad(x, {0, 1, 1, 0}, PadMode::replicate)) == Ints{1, 2, 2, 1, 2, 2, 3, 4, 4});
  CHECK(pad(zeros({2, 3, 4}), {1, 1, 2, 0}).shape() == Shape{2, 5, 6});
  CHECK(integers(pad(transpose(x, 0, 1), {1, 0})) == Ints{0, 1, 3, 0, 2, 4});
  CHECK(pad(x, {}).storage() != x.storage());
  CHECK(pad(x, {}, PadMode::reflect).storage() != x.storage());
  CHECK(pad(zeros({0, 1}), {1, 1}, PadMode::circular).shape() == Shape{0, 3});
}

TEST_CASE("pad: errors") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] { pad(x, {1}); }).find("[pad] 1 numbers are not pairs for dimensions of shape (2, 3)") == 0);
  CHECK(error_of([&] { pad(x, {1, 1, 1, 1, 1, 1}); }).find("[pad] 6 numbers") == 0);
  CHECK(error_of([&] { pad(x, {-2, -2}); }).find("[pad] (-2, -2) around dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { pad(x, {INT64_MAX, 1}); }).find("[pad]") == 0);
  CHECK(error_of([&] {
          pad(x, {3, 0}, PadMode::reflect);
        }).find("[pad] (3, 0) around dimension 1 of shape (2, 3): reflect has 2 at most") == 0);
  CHECK(error_of([&] { pad(x, {0, 4}, PadMode::circular); }).find("circular has 3 at most") != std::string::npos);
  CHECK(error_of([&] {
          pad(zeros({2, 0}), {0, 1}, PadMode::replicate);
        }).find("replicate has 0 at most") != std::string::npos);
}
