#include "ff/autograd/ops/arrange.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"
#include "tests/support/files.h"

using namespace ff;
using test::counting;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("flip: any dimensions, any layout, any dtype") {
  CHECK(integers(flip(counting({2, 3}), {0})) == Ints{3, 4, 5, 0, 1, 2});
  CHECK(integers(flip(counting({2, 3}), {-1})) == Ints{2, 1, 0, 5, 4, 3});
  CHECK(integers(flip(counting({2, 3}), {0, 1})) == Ints{5, 4, 3, 2, 1, 0});
  CHECK(integers(flip(transpose(counting({2, 3}), 0, 1), {0})) == Ints{2, 5, 1, 4, 0, 3});
  CHECK(integers(flip(expand(counting({2, 1}), {2, 2}), {0, 1})) == Ints{1, 1, 0, 0});
  CHECK(integers(flip(Tensor::from<std::uint8_t>({1, 0, 2}), {0})) == Ints{2, 0, 1});
  const Tensor x = counting({3});
  CHECK(flip(x, {}).storage() != x.storage());
  CHECK(flip(zeros({0, 2}), {0, 1}).shape() == Shape{0, 2});
  CHECK(error_of([&] { flip(x, {0, -1}); }).find("[flip] dimension -1 is named twice") == 0);
  CHECK(error_of([&] { flip(x, {1}); }).find("[flip] dimension out of range: 1") == 0);
}

TEST_CASE("flip: of more than a task's work, against a plain loop") {
  const Shape shape{70, 3, 500};
  const Tensor x = randn(shape);
  const std::vector<float> from = x.to_vector<float>(), got = flip(x, {0, 2}).to_vector<float>();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 70; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 500; ++k)
        wrong += got[(i * 3 + j) * 500 + k] != from[((69 - i) * 3 + j) * 500 + 499 - k];
  CHECK(wrong == 0);
}

TEST_CASE("roll: along dimensions, and as one row") {
  CHECK(integers(roll(counting({5}), {2})) == Ints{3, 4, 0, 1, 2});
  CHECK(integers(roll(counting({5}), {-1}, {0})) == Ints{1, 2, 3, 4, 0});
  CHECK(integers(roll(counting({5}), {12}, {0})) == Ints{3, 4, 0, 1, 2});
  CHECK(integers(roll(counting({2, 3}), {1})) == Ints{5, 0, 1, 2, 3, 4});
  CHECK(integers(roll(counting({2, 3}), {1, 1}, {0, 1})) == Ints{5, 3, 4, 2, 0, 1});
  CHECK(integers(roll(counting({2, 3}), {1, 1}, {1, 1})) == Ints{1, 2, 0, 4, 5, 3});
  CHECK(integers(roll(counting({3}), {INT64_MIN}, {0})) == Ints{2, 0, 1});  // -2^63 = 1 mod 3
  CHECK(roll(zeros({0, 2}), {1}, {0}).shape() == Shape{0, 2});
  CHECK(error_of([&] { roll(counting({2, 3}), {1, 2}, {0}); }).find("[roll] 2 shifts for 1 dimensions") == 0);
}

TEST_CASE("repeat and repeat_interleave: as PyTorch's") {
  CHECK(integers(repeat(counting({2}), {2, 2})) == Ints{0, 1, 0, 1, 0, 1, 0, 1});
  CHECK(repeat(counting({2, 3}), {4, 1, 2}).shape() == Shape{4, 2, 6});
  CHECK(integers(repeat(counting({2, 1}), {1, 2})) == Ints{0, 0, 1, 1});
  CHECK(integers(repeat(counting({2, 2}), {2, 1})) == Ints{0, 1, 2, 3, 0, 1, 2, 3});
  const Tensor one = counting({1});
  CHECK(repeat(one, {3}).storage() != one.storage());  // never a view, not even one with strides of 0
  CHECK(repeat_interleave(one, 3, 0).storage() != one.storage());
  CHECK(repeat(zeros({1, 1, 1, 1, 1, 1, 1, 2}), {2, 1, 1, 1, 1, 1, 1, 3}).shape() == Shape{2, 1, 1, 1, 1, 1, 1, 6});
  CHECK(integers(repeat_interleave(counting({3}), 2)) == Ints{0, 0, 1, 1, 2, 2});
  CHECK(integers(repeat_interleave(counting({2, 2}), 2, 1)) == Ints{0, 0, 1, 1, 2, 2, 3, 3});
  CHECK(integers(repeat_interleave(counting({2, 2}), 2, 0)) == Ints{0, 1, 0, 1, 2, 3, 2, 3});
  CHECK(integers(repeat_interleave(counting({3}), Tensor::from<std::int64_t>({1, 0, 3}))) == Ints{0, 2, 2, 2});
  CHECK(error_of([&] {
          repeat(counting({2, 2}), {2});
        }).find("[repeat] (2,) does not say how often to repeat each dimension of (2, 2)") == 0);
  CHECK(error_of([&] { repeat(counting({2}), {-1}); }).find("[repeat] a negative number of times: (-1,)") == 0);
  CHECK(error_of([&] { repeat_interleave(counting({2}), -1, 0); }).find("a negative number of times: -1") !=
        std::string::npos);
  CHECK(error_of([&] {
          repeat_interleave(counting({2}), Tensor::from<std::int64_t>({1, -1}));
        }).find("[repeat_interleave] index out of range: -1") == 0);
  CHECK(error_of([&] {
          repeat_interleave(counting({2}), Tensor::from<std::int64_t>({1}));
        }).find("[repeat_interleave] times of shape (1,) for dimension 0 of shape (2,)") == 0);
  const Tensor too_many = Tensor::from<std::int64_t>({INT64_MAX - 1, 2});
  CHECK(error_of([&] { repeat_interleave(counting({2}), too_many); }).find("[repeat_interleave] too many times: 2") ==
        0);
}
