#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include <doctest/doctest.h>

#include "ff/core/cpu/elementwise.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

template <class From, class To>
std::vector<To> converted(const std::vector<From>& x) {
  std::vector<To> y(x.size());
  cpu::copy(dtype_of<From>(), dtype_of<To>(), {static_cast<std::int64_t>(x.size())}, x.data(), {1}, y.data(), {1});
  return y;
}

template <class T>
void check_equal(const std::vector<T>& got, const std::vector<T>& want) {
  const auto d = test::largest_difference(got, want);
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

// Copies through both strides; elements of y that are not written must stay.
template <class T>
void check_copy(const Shape& shape, const Strides& xs, const Strides& ys) {
  CAPTURE(shape.str());
  CAPTURE(xs.str());
  CAPTURE(ys.str());
  const auto x = test::random_array<T>(test::extent(shape, xs), 1, 0, 100);
  std::vector<T> y(static_cast<std::size_t>(test::extent(shape, ys)), T{101}), want = y;
  test::for_each_index(shape, [&](const Shape& index) {
    want[static_cast<std::size_t>(test::offset(index, ys))] = x[static_cast<std::size_t>(test::offset(index, xs))];
  });
  cpu::copy(dtype_of<T>(), dtype_of<T>(), shape, x.data(), xs, y.data(), ys);
  check_equal(y, want);
}

}  // namespace

TEST_CASE("copy reads and writes any strides") {
  for (const Shape& shape : test::trying_shapes()) {
    const auto all = test::readings(shape);
    for (const Strides& xs : all)
      for (std::size_t i = 0; i < 3; ++i) {  // those without repetition
        check_copy<float>(shape, xs, all[i]);
        check_copy<double>(shape, xs, all[i]);
        check_copy<std::uint8_t>(shape, xs, all[i]);
      }
  }
}

TEST_CASE("copy reads backwards through negative strides") {
  for (const Shape& shape : {Shape{7}, Shape{3, 40}, Shape{100, 90}, Shape{4, 3, 5}, Shape{2, 70, 3, 33}}) {
    const auto x = test::random_array<float>(shape.numel(), 1);
    for (const Strides& forwards : {contiguous_strides(shape), test::readings(shape)[1]})
      for (int turned = 1; turned < 1 << shape.rank(); ++turned) {
        CAPTURE(shape.str());
        CAPTURE(turned);
        Strides strides = forwards;
        std::int64_t first = 0;
        for (int i = 0; i < shape.rank(); ++i) {
          if ((turned >> i & 1) == 0) continue;
          first += (shape[i] - 1) * strides[i];
          strides[i] = -strides[i];
        }
        std::vector<float> y(x.size()), want;
        test::for_each_index(shape, [&](const Shape& index) {
          want.push_back(x[static_cast<std::size_t>(first + test::offset(index, strides))]);
        });
        cpu::copy(f32, f32, shape, x.data() + first, strides, y.data(), contiguous_strides(shape));
        check_equal(y, want);
      }
  }
}

TEST_CASE("copy permutes dimensions") {
  const Shape shape{3, 70, 5, 64};
  const std::int64_t sizes[] = {3, 70, 5, 64};
  int order[] = {0, 1, 2, 3};
  do {
    // x is dense in the permuted order.
    Strides strides = Shape::filled(4, 1);
    std::int64_t stride = 1;
    for (int i = 3; i >= 0; --i) {
      strides[order[i]] = stride;
      stride *= sizes[order[i]];
    }
    check_copy<float>(shape, strides, contiguous_strides(shape));
    check_copy<float>(shape, contiguous_strides(shape), strides);
    check_copy<std::uint8_t>(shape, strides, contiguous_strides(shape));
  } while (std::next_permutation(order, order + 4));
}

TEST_CASE("copy converts as C++ does, out of range to the nearest") {
  const std::vector<double> x{0, -0.0, 1.9, -1.9, 300, -300, 3e9, -3e9, 1e30, -1e30, INFINITY, -INFINITY, NAN};
  constexpr auto i32_max = std::numeric_limits<std::int32_t>::max(), i32_min = std::numeric_limits<std::int32_t>::min();
  constexpr auto i64_max = std::numeric_limits<std::int64_t>::max(), i64_min = std::numeric_limits<std::int64_t>::min();
  check_equal(converted<double, std::int32_t>(x),
              {0, 0, 1, -1, 300, -300, i32_max, i32_min, i32_max, i32_min, i32_max, i32_min, 0});
  CHECK(converted<double, std::int64_t>(x) == std::vector<std::int64_t>{0, 0, 1, -1, 300, -300, 3000000000, -3000000000,
                                                                        i64_max, i64_min, i64_max, i64_min, 0});
  check_equal(converted<double, std::uint8_t>(x), {0, 0, 1, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0});
  check_equal(converted<float, std::int32_t>({2147483520.0f, 2147483648.0f, -2147483648.0f, 1e20f}),
              {2147483520, i32_max, i32_min, i32_max});
  check_equal(converted<double, float>({0.1, 1e300, NAN}), {0.1f, INFINITY, NAN});
  check_equal(converted<std::int64_t, std::uint8_t>({0, 255, 256, -1}), {0, 255, 0, 255});
  check_equal(converted<std::int32_t, float>({-7, 16777217}), {-7.0f, 16777216.0f});
  std::vector<std::uint8_t> truth(5);
  const std::vector<double> values{0, -0.0, 0.1, -3, NAN};
  cpu::copy(f64, boolean, {5}, values.data(), {1}, truth.data(), {1});
  check_equal(truth, {0, 0, 1, 1, 1});
  std::vector<float> back(5);
  cpu::copy(boolean, f32, {5}, truth.data(), {1}, back.data(), {1});
  check_equal(back, {0, 0, 1, 1, 1});
}

TEST_CASE("copy converts through strides") {
  const Shape shape{37, 70, 3};
  const auto x = test::random_array<std::int32_t>(shape.numel(), 4, -100, 100);
  const Strides strides{70, 1, 37 * 70};
  std::vector<double> y(x.size());
  cpu::copy(i32, f64, shape, x.data(), strides, y.data(), contiguous_strides(shape));
  const auto d = test::largest_difference(y, test::read(x, shape, strides), shape);
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

TEST_CASE("fill converts its value") {
  std::vector<float> y(100001);
  cpu::fill(f32, 100001, y.data(), 0.1);
  CHECK(y.front() == 0.1f);
  CHECK(y.back() == 0.1f);
  std::vector<std::int64_t> z(3, 5);
  cpu::fill(i64, 2, z.data(), -7.9);
  check_equal(z, {-7, -7, 5});
  std::uint8_t flag = 9;
  cpu::fill(boolean, 1, &flag, 0.5);
  CHECK(flag == 1);
  cpu::fill(f32, 0, nullptr, 1);
}

TEST_CASE("copies do not depend on the number of threads") {
  const Shape shape{257, 1023};
  const auto x = test::random_array<float>(shape.numel(), 3);
  CHECK(test::same_at_any_thread_count([&] {
    std::vector<double> y(x.size());
    cpu::copy(f32, f64, shape, x.data(), {1, 257}, y.data(), {1023, 1});
    return y;
  }));
}

}  // namespace ff
