#include <doctest/doctest.h>

#include "ff/core/cpu/indexing.h"

#include "tests/support/compare.h"
#include "tests/support/strided_arrays.h"

namespace ff {
namespace {

struct Sizes {
  std::int64_t outer, n, inner, count;
};

const Sizes all_sizes[] = {{1, 5, 1, 9},       {2, 5, 3, 4},    {3, 1, 7, 2},       {0, 4, 2, 3},
                           {2, 4, 0, 3},       {2, 4, 3, 0},    {1, 300, 128, 999}, {1, 9000, 24, 5000},
                           {2, 300, 40, 2000}, {40, 7, 33, 11}, {1, 50, 1, 100000}, {70000, 3, 1, 2}};

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

template <class T>
void check_equal(const std::vector<T>& got, const std::vector<T>& want, const Shape& shape) {
  const auto d = test::largest_difference(got, want, shape);
  CHECK_MESSAGE(d.absolute == 0, d.str());
}

// Integer values, so that sums are exact in any order: what is added must be right, the order is tested apart.
template <class T>
void check_indexing(DType dtype, const Sizes& s) {
  CAPTURE(s.outer);
  CAPTURE(s.n);
  CAPTURE(s.inner);
  CAPTURE(s.count);
  const Shape big{s.outer, s.n, s.inner}, small{s.outer, s.count, s.inner};
  const auto index = test::random_array<std::int64_t>(s.count, 1, 0, static_cast<double>(s.n - 1));
  const auto full_index = test::random_array<std::int64_t>(small.numel(), 2, 0, static_cast<double>(s.n - 1));
  std::vector<T> x, dy;
  for (int v : test::random_array<int>(big.numel(), 3, 0, 100)) x.push_back(static_cast<T>(v));
  for (int v : test::random_array<int>(small.numel(), 4, 0, 100)) dy.push_back(static_cast<T>(v));
  std::vector<T> selected(dy.size()), gathered(dy.size()), want_selected(dy.size()), want_gathered(dy.size());
  std::vector<T> added = x, scattered = x, want_added = x, want_scattered = x;
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t j = 0; j < s.count; ++j)
      for (std::int64_t i = 0; i < s.inner; ++i) {
        const std::size_t k = at((o * s.count + j) * s.inner + i);
        const std::size_t by_row = at((o * s.n + index[at(j)]) * s.inner + i),
                          by_element = at((o * s.n + full_index[k]) * s.inner + i);
        want_selected[k] = x[by_row];
        want_gathered[k] = x[by_element];
        want_added[by_row] = static_cast<T>(want_added[by_row] + dy[k]);
        want_scattered[by_element] = static_cast<T>(want_scattered[by_element] + dy[k]);
      }
  cpu::index_select(dtype, s.outer, s.n, s.inner, x.data(), s.count, index.data(), selected.data());
  check_equal(selected, want_selected, small);
  cpu::gather(dtype, s.outer, s.n, s.inner, x.data(), s.count, full_index.data(), gathered.data());
  check_equal(gathered, want_gathered, small);
  std::vector<T> put = x, want_put = x;
  for (std::int64_t k = 0; k < small.numel(); ++k) {
    const std::int64_t o = k / (s.count * s.inner), i = k % s.inner;
    want_put[at((o * s.n + full_index[at(k)]) * s.inner + i)] = dy[at(k)];
  }
  cpu::scatter(dtype, s.outer, s.n, s.inner, put.data(), s.count, full_index.data(), dy.data());
  check_equal(put, want_put, big);
  if (dtype == u8) return;  // not summed
  cpu::index_add(dtype, s.outer, s.n, s.inner, added.data(), s.count, index.data(), dy.data());
  check_equal(added, want_added, big);
  cpu::scatter_add(dtype, s.outer, s.n, s.inner, scattered.data(), s.count, full_index.data(), dy.data());
  check_equal(scattered, want_scattered, big);
}

}  // namespace

TEST_CASE("selecting and adding by index") {
  for (const Sizes& s : all_sizes) {
    check_indexing<float>(f32, s);
    check_indexing<double>(f64, s);
    check_indexing<std::int32_t>(i32, s);
    check_indexing<std::int64_t>(i64, s);
    check_indexing<std::uint8_t>(u8, s);
  }
}

TEST_CASE("additions to one place happen in the order of the index, at any number of threads") {
  const std::int64_t n = 5, inner = 130, count = 20000;
  const auto x = test::random_array<float>(count * inner, 1, -1000, 1000);
  const auto index = test::random_array<std::int64_t>(count, 2, 0, n - 1);
  std::vector<std::int64_t> full;
  for (std::int64_t j : index) full.insert(full.end(), inner, j);
  std::vector<float> want(n * inner);
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t i = 0; i < inner; ++i) want[at(index[at(j)] * inner + i)] += x[at(j * inner + i)];
  auto add = [&] {
    std::vector<float> y(n * inner);
    cpu::index_add(f32, 1, n, inner, y.data(), count, index.data(), x.data());
    return y;
  };
  auto scatter = [&] {
    std::vector<float> y(n * inner);
    cpu::scatter_add(f32, 1, n, inner, y.data(), count, full.data(), x.data());
    return y;
  };
  check_equal(add(), want, {n, inner});
  check_equal(scatter(), want, {n, inner});
  CHECK(test::same_at_any_thread_count(add));
  CHECK(test::same_at_any_thread_count(scatter));
}

TEST_CASE("additions to rows, grouped by target, happen in the order of the index") {
  // Few columns and many entries, a third of which go to one row; most rows get none.
  const std::int64_t n = 5000, inner = 48, count = 6000;
  const auto x = test::random_array<float>(count * inner, 1, -1000, 1000);
  auto index = test::random_array<std::int64_t>(count, 2, 0, n - 1);
  for (std::int64_t j = 0; j < count; j += 3) index[at(j)] = 17;
  const auto start = test::random_array<float>(n * inner, 3, -1000, 1000);
  std::vector<float> want = start;
  for (std::int64_t j = 0; j < count; ++j)
    for (std::int64_t i = 0; i < inner; ++i) want[at(index[at(j)] * inner + i)] += x[at(j * inner + i)];
  auto add = [&] {
    std::vector<float> y = start;
    cpu::index_add(f32, 1, n, inner, y.data(), count, index.data(), x.data());
    return y;
  };
  check_equal(add(), want, {n, inner});
  CHECK(test::same_at_any_thread_count(add));
}

TEST_CASE("of several entries scattered to one place the last stays, at any number of threads") {
  const std::int64_t n = 5, inner = 130, count = 2000;
  const auto x = test::random_array<float>(count * inner, 1, -1000, 1000);
  const auto index = test::random_array<std::int64_t>(count * inner, 2, 0, n - 1);
  std::vector<float> want(n * inner);
  for (std::int64_t k = 0; k < count * inner; ++k) want[at(index[at(k)] * inner + k % inner)] = x[at(k)];
  auto scatter = [&] {
    std::vector<float> y(n * inner);
    cpu::scatter(f32, 1, n, inner, y.data(), count, index.data(), x.data());
    return y;
  };
  check_equal(scatter(), want, {n, inner});
  CHECK(test::same_at_any_thread_count(scatter));
}

TEST_CASE("additions to one column happen in the order of the index") {
  const std::int64_t n = 1000, count = 100000;
  const auto x = test::random_array<float>(count, 1, -1000, 1000);
  const auto index = test::random_array<std::int64_t>(count, 2, 0, n - 1);
  std::vector<float> want(n);
  for (std::int64_t j = 0; j < count; ++j) want[at(index[at(j)])] += x[at(j)];
  auto add = [&] {
    std::vector<float> y(n);
    cpu::index_add(f32, 1, n, 1, y.data(), count, index.data(), x.data());
    return y;
  };
  check_equal(add(), want, {n});
  CHECK(test::same_at_any_thread_count(add));
}

TEST_CASE("the first index out of range is found") {
  std::vector<std::int64_t> index{0, 4, 2, 3};
  auto find = [&](std::int64_t n) {
    return cpu::find_out_of_range(static_cast<std::int64_t>(index.size()), index.data(), n);
  };
  CHECK(find(5) == -1);
  CHECK(find(4) == 1);
  CHECK(find(0) == 0);
  index[2] = -1;
  CHECK(find(5) == 2);
  CHECK(cpu::find_out_of_range(0, nullptr, 3) == -1);
}

}  // namespace ff
