#include "ff/autograd/ops/search.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/parallel.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"

using namespace ff;
using test::error_of;
using test::integers;
using Ints = std::vector<std::int64_t>;

TEST_CASE("nonzero: NaN is not 0, minus 0 is") {
  const Tensor x = Tensor::from(std::vector<float>{0, NAN, -0.0f, 2, 0, -1}, {2, 3});
  CHECK(nonzero(x).shape() == Shape{3, 2});
  CHECK(integers(nonzero(x)) == Ints{0, 1, 1, 0, 1, 2});
  CHECK(integers(nonzero(transpose(x, 0, 1))) == Ints{0, 1, 1, 0, 2, 1});
  CHECK(nonzero(ones({})).shape() == Shape{1, 0});
  CHECK(nonzero(zeros({})).shape() == Shape{0, 0});
  CHECK(nonzero(zeros({0, 3})).shape() == Shape{0, 2});
}

TEST_CASE("nonzero: more than a task's work, against a plain loop") {
  const Tensor x = randint(0, 3, {300000});
  Ints want;
  const Ints values = integers(x);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != 0) want.push_back(static_cast<std::int64_t>(i));
  const int before = num_threads();
  for (int threads : {1, 2, 4}) {
    set_num_threads(threads);
    CHECK(integers(nonzero(x)) == want);
  }
  set_num_threads(before);
}

TEST_CASE("masked_select: broadcasts both ways") {
  const Tensor x = reshape(arange(0, 6, 1, {.dtype = i64}), {2, 3});
  const Tensor mask = Tensor::from(std::vector<std::uint8_t>{1, 0, 1}, {3}).copy(boolean);
  CHECK(integers(masked_select(x, mask)) == Ints{0, 2, 3, 5});
  CHECK(integers(masked_select(Tensor::scalar(7, i64), mask)) == Ints{7, 7});
  CHECK(error_of([&] { masked_select(x, x); }).find("[masked_select] a boolean mask is needed, its dtype is i64") == 0);
  CHECK(error_of([&] {
          masked_select(x, zeros({2}, {.dtype = boolean}));
        }).find("[masked_select] shapes do not broadcast: (2, 3) and (2,)") == 0);
}

TEST_CASE("searchsorted: ties, ends, infinities, NaN") {
  const Tensor row = Tensor::from({1.0, 3.0, 3.0, 5.0});
  const Tensor values = Tensor::from({0.0, 1.0, 2.0, 3.0, 5.0, 6.0, HUGE_VAL, -HUGE_VAL, double{NAN}});
  CHECK(integers(searchsorted(row, values)) == Ints{0, 0, 1, 1, 3, 4, 4, 0, 4});
  CHECK(integers(searchsorted(row, values, true)) == Ints{0, 1, 1, 3, 4, 4, 4, 0, 4});
  CHECK(integers(bucketize(values, row, true)) == integers(searchsorted(row, values, true)));
  const Tensor with_nan = Tensor::from({1.0, double{NAN}});
  CHECK(integers(searchsorted(with_nan, Tensor::from({0.0, 1.0, 2.0, HUGE_VAL, double{NAN}}))) == Ints{0, 0, 1, 1, 1});
  CHECK(integers(searchsorted(with_nan, Tensor::from({2.0, double{NAN}}), true)) == Ints{1, 2});
  CHECK(integers(searchsorted(zeros({0}), Tensor::scalar(1))) == Ints{0});
  CHECK(integers(searchsorted(Tensor::from({1, 2, 3}), Tensor::from({2.5}))) == Ints{2});  // compared in f64
}

TEST_CASE("searchsorted: each row in its own, and errors") {
  const Tensor rows = Tensor::from(std::vector<double>{0, 2, 4, 10, 20, 30}, {2, 3});
  const Tensor values = Tensor::from(std::vector<double>{3, 15, 3, 15}, {2, 2});
  CHECK(integers(searchsorted(rows, values)) == Ints{2, 3, 0, 1});
  CHECK(error_of([&] {
          searchsorted(rows, zeros({3, 2}));
        }).find("[searchsorted] values of shape (3, 2) for sorted rows of shape (2, 3)") == 0);
  CHECK(error_of([&] { searchsorted(rows, zeros({})); }).find("[searchsorted] values of shape ()") == 0);
  CHECK(error_of([&] { searchsorted(zeros({}), values); }).find("[searchsorted] a scalar is no sorted row") == 0);
  CHECK(error_of([&] { bucketize(values, rows); }).find("[bucketize] boundaries of one dimension are needed: (2, 3)") ==
        0);
}

TEST_CASE("searchsorted: against counting") {
  std::vector<double> sorted = rand({200}, {.dtype = f64}).to_vector<double>();
  std::sort(sorted.begin(), sorted.end());
  const Tensor values = rand({20000}, {.dtype = f64});
  const Ints got = integers(searchsorted(Tensor::from(sorted, {200}), values));
  const std::vector<double> v = values.to_vector<double>();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < v.size(); ++i)
    wrong += got[i] != std::count_if(sorted.begin(), sorted.end(), [&](double s) { return s < v[i]; });
  CHECK(wrong == 0);
}
