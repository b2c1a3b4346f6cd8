#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <doctest/doctest.h>

#include "ff/core/cpu/reduce.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

using cpu::Reduction;

// One entry at a time, in long double for floats.
template <class T, class A>
A combine(Reduction op, A a, T x) {
  switch (op) {
    case Reduction::sum:
      return a + static_cast<A>(x);
    case Reduction::prod:
      return a * static_cast<A>(x);
    case Reduction::max:
      return std::max(a, static_cast<A>(x));
    case Reduction::min:
      return std::min(a, static_cast<A>(x));
    case Reduction::any:
      return a != 0 || x != 0;
    case Reduction::all:
      break;
  }
  return a != 0 && x != 0;
}

template <class A>
A start(Reduction op) {
  if (op == Reduction::max) return std::numeric_limits<A>::lowest();
  if (op == Reduction::min) return std::numeric_limits<A>::max();
  return op == Reduction::prod || op == Reduction::all ? 1 : 0;
}

// The dimensions marked by the bits of mask.
struct Marks {
  bool reduced[Shape::max_rank] = {};
  Marks(int rank, int mask) {
    for (int i = 0; i < rank; ++i) reduced[i] = (mask >> i & 1) != 0;
  }
};

Shape kept_shape(const Shape& shape, const Marks& marks) {
  Shape kept;
  for (int i = 0; i < shape.rank(); ++i)
    if (!marks.reduced[i]) kept.push_back(shape[i]);
  return kept;
}

template <class T, class A>
std::vector<A> reference(Reduction op, const Shape& shape, const Marks& marks, const std::vector<T>& x,
                         const Strides& strides) {
  const Shape kept = kept_shape(shape, marks);
  const Strides dense = contiguous_strides(kept);
  Strides y_strides = Shape::filled(shape.rank(), 0);
  for (int i = 0, k = 0; i < shape.rank(); ++i)
    if (!marks.reduced[i]) y_strides[i] = dense[k++];
  std::vector<A> y(static_cast<std::size_t>(kept.numel()), start<A>(op));
  test::for_each_index(shape, [&](const Shape& index) {
    A& to = y[static_cast<std::size_t>(test::offset(index, y_strides))];
    to = combine(op, to, x[static_cast<std::size_t>(test::offset(index, strides))]);
  });
  return y;
}

template <class T, class A>
void check_reduction(Reduction op, DType dtype, const Shape& shape, int mask, const Strides& strides, double low,
                     double high, double tolerance) {
  const Marks marks(shape.rank(), mask);
  CAPTURE(shape.str());
  CAPTURE(strides.str());
  CAPTURE(mask);
  CAPTURE(static_cast<int>(op));
  const auto x = test::random_array<T>(test::extent(shape, strides), 1, low, high);
  const std::vector<A> want = reference<T, A>(op, shape, marks, x, strides);
  std::vector<T> y(want.size(), T{77});
  cpu::reduce(op, dtype, shape, marks.reduced, x.data(), strides, y.data());
  const auto d = test::largest_difference(y, want, kept_shape(shape, marks));
  CHECK_MESSAGE(d.relative <= tolerance, d.str());
}

template <class Body>
void for_each_case(const std::vector<Shape>& shapes, Body body) {
  for (const Shape& shape : shapes)
    for (const Strides& strides : test::readings(shape))
      for (int mask = 0; mask < 1 << shape.rank(); ++mask) body(shape, mask, strides);
}

}  // namespace

TEST_CASE("reductions over any dimensions of any strides") {
  for_each_case(test::trying_shapes(), [](const Shape& shape, int mask, const Strides& strides) {
    check_reduction<float, long double>(Reduction::sum, f32, shape, mask, strides, -1, 2, 1e-7);
    if (shape.numel() == 0) return;
    check_reduction<float, long double>(Reduction::max, f32, shape, mask, strides, -1, 2, 0);
  });
}

TEST_CASE("every reduction in every dtype") {
  const std::vector<Shape> shapes{{}, {0}, {3, 0, 2}, {5, 1, 4}, {3, 257}, {257, 3}, {2, 3, 4, 5}, {2, 2, 1030}};
  for_each_case(shapes, [](const Shape& shape, int mask, const Strides& strides) {
    for (Reduction op : {Reduction::sum, Reduction::prod, Reduction::max, Reduction::min}) {
      if (shape.numel() == 0 && (op == Reduction::max || op == Reduction::min)) continue;
      const bool prod = op == Reduction::prod;
      check_reduction<float, long double>(op, f32, shape, mask, strides, prod ? 0.995 : -1, prod ? 1.005 : 2, 1e-7);
      check_reduction<double, long double>(op, f64, shape, mask, strides, prod ? 0.995 : -1, prod ? 1.005 : 2, 1e-13);
      check_reduction<std::int32_t, std::int64_t>(op, i32, shape, mask, strides, prod ? 1 : -50, prod ? 1 : 50, 0);
      check_reduction<std::int64_t, std::int64_t>(op, i64, shape, mask, strides, prod ? -1 : -50, prod ? 1 : 50, 0);
    }
    if (shape.numel() > 0)
      check_reduction<std::uint8_t, std::int64_t>(Reduction::max, u8, shape, mask, strides, 0, 255, 0);
    check_reduction<std::uint8_t, int>(Reduction::any, boolean, shape, mask, strides, 0, 1, 0);
    check_reduction<std::uint8_t, int>(Reduction::all, boolean, shape, mask, strides, 0, 1, 0);
  });
}

TEST_CASE("integer sums and products wrap around") {
  const std::vector<std::int32_t> x(4, 1 << 30);
  const bool reduced[] = {true};
  std::int32_t y = 1;
  cpu::reduce(Reduction::sum, i32, {4}, reduced, x.data(), {1}, &y);
  CHECK(y == 0);
  cpu::reduce(Reduction::sum, i32, {3}, reduced, x.data(), {1}, &y);
  CHECK(y == std::numeric_limits<std::int32_t>::min() + (1 << 30));
  cpu::reduce(Reduction::prod, i32, {3}, reduced, x.data(), {1}, &y);
  CHECK(y == 0);
}

TEST_CASE("long sums of floats keep their digits") {
  const std::int64_t n = 3'000'001;
  const std::vector<float> x(static_cast<std::size_t>(n), 0.1f);
  const bool reduced[] = {true, false};
  float y = 0;
  cpu::reduce(Reduction::sum, f32, {n}, reduced, x.data(), {1}, &y);
  CHECK(std::abs(y / (static_cast<double>(n) * static_cast<double>(0.1f)) - 1) < 6e-8);
  std::vector<float> columns(3);
  cpu::reduce(Reduction::sum, f32, {n / 3, 3}, reduced, x.data(), {3, 1}, columns.data());
  for (float c : columns) CHECK(std::abs(c / (static_cast<double>(n / 3) * static_cast<double>(0.1f)) - 1) < 6e-8);
  const double squares = cpu::sum_of_squares({{f32, n, x.data()}});
  CHECK(std::abs(squares / (static_cast<double>(n) * std::pow(static_cast<double>(0.1f), 2)) - 1) < 1e-13);
  const std::vector<double> few{3, 4};
  CHECK(cpu::sum_of_squares({{f64, 2, few.data()}, {f32, 0, nullptr}, {f32, 1, x.data()}}) ==
        doctest::Approx(25 + 0.01).epsilon(1e-8));
  CHECK(cpu::sum_of_squares({}) == 0);
}

TEST_CASE("a sum of squares over runs is the whole sum to the last bit, and reads little else") {
  for (const std::int64_t n : {5, 64, 70000, 200003}) {
    const std::vector<std::vector<Run>> cases{
        {}, {{0, n}}, {{1, 3}}, {{2, 4}, {4, 5}}, {{n - 2, n}}, {{0, 1}, {n / 2, n / 2 + n / 4}, {n - 1, n}}};
    for (const std::vector<Run>& runs : cases) {
      CAPTURE(n);
      CAPTURE(runs.size());
      std::vector<float> x(static_cast<std::size_t>(n), 0.0f);
      for (const Run& run : runs)
        for (std::int64_t i = run.begin; i < run.end; ++i)
          x[static_cast<std::size_t>(i)] = std::sin(static_cast<float>(i) + 1);
      CHECK(cpu::sum_of_squares({{f32, n, x.data(), &runs}}) == cpu::sum_of_squares({{f32, n, x.data()}}));
      CHECK(test::same_at_any_thread_count([&] {
        return std::vector<double>{cpu::sum_of_squares({{f32, n, x.data(), &runs}})};
      }));
    }
  }
  // A mark far from any run is not seen.
  std::vector<double> x(100000, 0.0);
  const std::vector<Run> runs{{10, 12}, {90000, 90001}};
  x[11] = 2, x[50000] = 7, x[90000] = 3;
  CHECK(cpu::sum_of_squares({{f64, 100000, x.data(), &runs}}) == 13);
}

TEST_CASE("max and min propagate NaN from anywhere and know infinities") {
  const bool reduced[] = {true, false};
  for (std::int64_t n : {1, 5, 64, 100, 1000})
    for (std::int64_t at = 0; at < n; at += std::max<std::int64_t>(1, n / 7)) {
      auto x = test::random_array<float>(n, 1);
      x[static_cast<std::size_t>(at)] = NAN;
      float y[2];
      cpu::reduce(Reduction::max, f32, {n}, reduced, x.data(), {1}, y);
      cpu::reduce(Reduction::min, f32, {n}, reduced, x.data(), {1}, y + 1);
      CHECK(std::isnan(y[0]));
      CHECK(std::isnan(y[1]));
      std::vector<float> columns{1, 2};  // the same as the first of two columns
      for (float v : x) columns.insert(columns.end(), {v, 3});
      cpu::reduce(Reduction::max, f32, {n + 1, 2}, reduced, columns.data(), {2, 1}, y);
      CHECK(std::isnan(y[0]));
      CHECK(y[1] == 3);
    }
  const std::vector<float> low(70, -INFINITY);
  float y = 0;
  cpu::reduce(Reduction::max, f32, {70}, reduced, low.data(), {1}, &y);
  CHECK(y == -INFINITY);
}

TEST_CASE("argmax and argmin give the first of equals, NaN above all") {
  for (std::int64_t n : {1, 2, 7, 64, 65, 1000}) {
    const std::int64_t rows = 37;
    auto check = [&](auto tag, DType dtype) {
      using T = decltype(tag);
      auto x = test::random_array<T>(rows * n, 1, 0, 20);
      if constexpr (std::is_floating_point_v<T>) {
        for (T& v : x) v = std::round(v);
        x[static_cast<std::size_t>(3 * n + n / 2)] = NAN;
        x[static_cast<std::size_t>(3 * n + n - 1)] = NAN;
        for (std::int64_t i = 0; i < n; ++i) x[static_cast<std::size_t>(4 * n + i)] = -INFINITY;
      }
      std::vector<std::int64_t> high(rows), low(rows);
      cpu::argmax(dtype, rows, n, x.data(), high.data());
      cpu::argmin(dtype, rows, n, x.data(), low.data());
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = x.begin() + r * n;
        auto want_high = std::max_element(row, row + n), want_low = std::min_element(row, row + n);
        if (const auto nan = std::find_if(row, row + n, [](T v) { return v != v; }); nan != row + n)
          want_high = want_low = nan;
        CHECK(high[static_cast<std::size_t>(r)] == want_high - row);
        CHECK(low[static_cast<std::size_t>(r)] == want_low - row);
      }
    };
    check(float{}, f32);
    check(double{}, f64);
    check(std::int32_t{}, i32);
    check(std::int64_t{}, i64);
    check(std::uint8_t{}, u8);
  }
}

TEST_CASE("reductions do not depend on the number of threads") {
  for (const Shape& shape :
       {Shape{300007}, Shape{70000, 5}, Shape{5, 70000}, Shape{100, 70, 50}, Shape{3, 1001, 129}}) {
    const auto x = test::random_array<float>(shape.numel(), 3);
    for (int mask = 1; mask < 1 << shape.rank(); ++mask) {
      const Marks marks(shape.rank(), mask);
      CHECK(test::same_at_any_thread_count([&] {
        std::vector<float> y(static_cast<std::size_t>(kept_shape(shape, marks).numel()));
        cpu::reduce(Reduction::sum, f32, shape, marks.reduced, x.data(), contiguous_strides(shape), y.data());
        return y;
      }));
    }
    CHECK(test::same_at_any_thread_count([&] {
      return std::vector<double>{
          cpu::sum_of_squares({{f32, shape.numel(), x.data()}, {f32, shape.numel() / 2, x.data()}})};
    }));
  }
}

}  // namespace ff
