#pragma once

// Arrays for kernels to be tried on: random contents, every way of reading them through strides, every thread count.

#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "ff/core/parallel.h"
#include "ff/core/shape.h"

namespace ff::test {

/// n numbers uniform in [low, high] (integers: inclusive), the same for the same seed.
template <class T>
std::vector<T> random_array(std::int64_t n, unsigned seed, double low = -2, double high = 2) {
  std::mt19937_64 bits(seed);
  std::vector<T> x(static_cast<std::size_t>(n));
  for (T& v : x) {
    const double u = static_cast<double>(bits() >> 11) * 0x1p-53;
    if constexpr (std::is_integral_v<T>)
      v = static_cast<T>(low + u * (high - low + 1) - (low + u * (high - low + 1) < 0));
    else
      v = static_cast<T>(low + u * (high - low));
  }
  return x;
}

/// Shapes that find mistakes: scalars, empty ones, sizes of 1, rows around a vector's length, more than a task's work.
const std::vector<Shape>& trying_shapes();

/// Ways to read an array of that shape: dense, transposed, every other element, one dimension or all of them repeated.
std::vector<Strides> readings(const Shape& shape);

/// How many elements an array must have to be read so.
std::int64_t extent(const Shape& shape, const Strides& strides);

/// Calls f(index) for each index of shape, row-major.
template <class F>
void for_each_index(const Shape& shape, F f) {
  const std::int64_t n = shape.numel();
  Shape index = Shape::filled(shape.rank(), 0);
  for (std::int64_t flat = 0; flat < n; ++flat) {
    f(index);
    for (int i = shape.rank() - 1; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
  }
}

std::int64_t offset(const Shape& index, const Strides& strides);

/// What is read, in row-major order.
template <class T>
std::vector<T> read(const std::vector<T>& x, const Shape& shape, const Strides& strides) {
  std::vector<T> y;
  for_each_index(shape, [&](const Shape& index) { y.push_back(x[static_cast<std::size_t>(offset(index, strides))]); });
  return y;
}

/// Calls f() at 1, 2 and 4 threads: whether all results are f's first to the last bit. f returns a vector.
template <class F>
bool same_at_any_thread_count(F f) {
  const int before = num_threads();
  bool same = true;
  set_num_threads(1);
  const auto first = f();
  for (int threads : {2, 4}) {
    set_num_threads(threads);
    const auto other = f();
    for (std::size_t i = 0; i < first.size(); ++i)  // element by element: paddings differ, NaN do not
      same = same && (first[i] == other[i] || (first[i] != first[i] && other[i] != other[i]));
    same = same && first.size() == other.size();
  }
  set_num_threads(before);
  return same;
}

}  // namespace ff::test
