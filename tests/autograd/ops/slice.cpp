#include "ff/autograd/ops/slice.h"

#include <doctest/doctest.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"

#include "tests/autograd/ops/support.h"
#include "tests/support/errors.h"

using namespace ff;
using test::error_of;
using test::integers;

TEST_CASE("slice: Python's bounds, for every begin, end and step") {
  // What Python's slice(b, e, s).indices(n) says, worked out one entry at a time.
  const std::int64_t n = 4;
  const Tensor x = arange(0, n, 1, {.dtype = i64});
  for (std::int64_t step : {1, 2, 3, 9, -1, -2, -3, -9})
    for (std::int64_t begin = -6; begin <= 6; ++begin)
      for (std::int64_t end = -6; end <= 6; ++end) {
        CAPTURE(begin);
        CAPTURE(end);
        CAPTURE(step);
        const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
        auto bound = [&](std::int64_t i) { return std::min(high, std::max(low, i < 0 ? i + n : i)); };
        std::vector<std::int64_t> want;
        for (std::int64_t i = bound(begin); step > 0 ? i < bound(end) : i > bound(end); i += step) want.push_back(i);
        CHECK(integers(slice(x, 0, begin, end, step)) == want);
        CHECK(integers(x(Slice(begin, end, step))) == want);
      }
}

TEST_CASE("slice: extreme bounds and steps") {
  const Tensor x = arange(0, 5, 1, {.dtype = i64});
  CHECK(integers(slice(x, 0, INT64_MIN, INT64_MAX, INT64_MAX)) == std::vector<std::int64_t>{0});
  CHECK(integers(slice(x, 0, INT64_MAX, INT64_MIN, INT64_MIN)) == std::vector<std::int64_t>{4});
  CHECK(integers(slice(x, 0, INT64_MAX, INT64_MIN, -2)) == std::vector<std::int64_t>{4, 2, 0});
  CHECK(slice(zeros({2, 0}), 1, 0, 5, 7).shape() == Shape{2, 0});
  CHECK(slice(zeros({2, 0}), 1, -1, INT64_MIN, -1).shape() == Shape{2, 0});
}

TEST_CASE("slice: a view forwards, a copy backwards") {
  const Tensor x = arange(0, 6);
  CHECK(slice(x, 0, 1, 5, 2).storage() == x.storage());
  CHECK(slice(x, 0, 4, 0, -1).storage() != x.storage());
  CHECK(slice(x, 0, 4, 0, -1).is_contiguous());
}

TEST_CASE("slice, narrow, select, unfold: errors") {
  const Tensor x = zeros({2, 3});
  CHECK(error_of([&] { slice(x, 0, 0, 2, 0); }).find("[slice] a step of 0, of shape (2, 3)") == 0);
  CHECK(error_of([&] { slice(zeros({}), 0, 0); }).find("[slice] a scalar") == 0);
  CHECK(error_of([&] {
          narrow(x, 1, 2, 2);
        }).find("[narrow] 2 entries from 2 on: dimension 1 of shape (2, 3) does not have them") == 0);
  CHECK(error_of([&] { narrow(x, 1, -4, 1); }).find("[narrow]") == 0);
  CHECK(error_of([&] { narrow(x, 1, 0, -1); }).find("[narrow]") == 0);
  CHECK(error_of([&] { narrow(x, 1, 1, INT64_MAX); }).find("[narrow]") == 0);
  CHECK(error_of([&] { select(x, 1, 3); }).find("[select] index out of range: 3 of dimension 1 of shape (2, 3)") == 0);
  CHECK(error_of([&] { unfold(x, 1, 4, 1); }).find("[unfold] windows of 4 do not fit dimension 1 of shape (2, 3)") ==
        0);
  CHECK(error_of([&] { unfold(x, 1, 2, 0); }).find("[unfold] a step of at least 1 is needed: 0") == 0);
}

TEST_CASE("narrow: from the end, and the whole") {
  const Tensor x = arange(0, 5, 1, {.dtype = i64});
  CHECK(integers(narrow(x, 0, -2, 2)) == std::vector<std::int64_t>{3, 4});
  CHECK(narrow(x, 0, 5, 0).numel() == 0);
  CHECK(narrow(x, 0, 0, 5).storage() == x.storage());
}

TEST_CASE("unfold: windows, and their gradient is the number of windows an entry lies in") {
  Tensor x = arange(0, 10);
  const Tensor y = unfold(x, 0, 4, 3);
  CHECK(y.shape() == Shape{3, 4});
  CHECK(y.storage() == x.storage());
  CHECK(integers(y) == std::vector<std::int64_t>{0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9});
  x.requires_grad_();
  sum(unfold(x, 0, 4, 2)).backward();
  CHECK(integers(x.grad()) == std::vector<std::int64_t>{1, 1, 2, 2, 2, 2, 2, 2, 1, 1});
  // An overlapping view is read rightly by what takes matrices and sums.
  const Tensor windows = unfold(arange(0, 6), 0, 3, 1);  // rows (0 1 2), (1 2 3), (2 3 4), (3 4 5)
  CHECK(integers(matmul(windows, ones({3, 1}))) == std::vector<std::int64_t>{3, 6, 9, 12});
  CHECK(integers(sum(windows, {0})) == std::vector<std::int64_t>{6, 10, 14});
  CHECK(integers(sum(windows, {1})) == std::vector<std::int64_t>{3, 6, 9, 12});
  CHECK(unfold(zeros({3}), 0, 0, INT64_MAX).shape() == Shape{1, 0});
}
