#include "ff/core/cpu/scan.h"

#include <algorithm>
#include <type_traits>

#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements a task reads

// What elements are accumulated in: wide enough for floats; integers wrap around.
template <class T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;

// Calls f with a value of dtype, which must be one of these three.
template <class F>
void dispatch_scan(DType dtype, F f) {
  if (dtype == i64) return f(std::int64_t{});
  return dispatch_floating(dtype, f);
}

template <class Body>
void for_rows(std::int64_t rows, std::int64_t n, Body body) {
  parallel_for(rows, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(n, 1)), body);
}

// With left_i the product of what stands before x_i, and right_i the sum over j >= i of dy_j times the product of x_k,
// i < k <= j: dx_i = left_i right_i, where right_i = dy_i + x_(i+1) right_(i+1). gradient(r, i) gives dy.
template <class T, class Gradient>
void products_of_others(std::int64_t rows, std::int64_t n, const T* x, Gradient gradient, T* dx) {
  for_rows(rows, n, [&](std::int64_t begin, std::int64_t end) {
    const Scratch<double> right(n);
    for (std::int64_t r = begin; r < end; ++r) {
      const T* row = x + r * n;
      double product = 0;
      for (std::int64_t i = n - 1; i >= 0; --i) {
        right[i] = gradient(r, i) + product;
        product = static_cast<double>(row[i]) * right[i];
      }
      double left = 1;
      for (std::int64_t i = 0; i < n; ++i) {
        dx[r * n + i] = static_cast<T>(left * right[i]);
        left *= static_cast<double>(row[i]);
      }
    }
  });
}

}  // namespace

void cumsum(DType dtype, std::int64_t rows, std::int64_t n, bool backwards, const void* x, void* y) {
  dispatch_scan(dtype, [&](auto tag) {
    using T = decltype(tag);
    for_rows(rows, n, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* from = static_cast<const T*>(x) + r * n;
        T* to = static_cast<T*>(y) + r * n;
        Accumulator<T> total{};
        for (std::int64_t j = 0; j < n; ++j) {
          const std::int64_t at = backwards ? n - 1 - j : j;
          total += static_cast<Accumulator<T>>(from[at]);
          to[at] = static_cast<T>(total);
        }
      }
    });
  });
}

void cumprod(DType dtype, std::int64_t rows, std::int64_t n, const void* x, void* y) {
  dispatch_scan(dtype, [&](auto tag) {
    using T = decltype(tag);
    for_rows(rows, n, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* from = static_cast<const T*>(x) + r * n;
        T* to = static_cast<T*>(y) + r * n;
        Accumulator<T> product{1};
        for (std::int64_t j = 0; j < n; ++j) {
          product *= static_cast<Accumulator<T>>(from[j]);
          to[j] = static_cast<T>(product);
        }
      }
    });
  });
}

void cumprod_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* dy, void* dx) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto gradient = [&](std::int64_t r, std::int64_t i) {
      return static_cast<double>(static_cast<const T*>(dy)[r * n + i]);
    };
    products_of_others(rows, n, static_cast<const T*>(x), gradient, static_cast<T*>(dx));
  });
}

void prod_backward(DType dtype, std::int64_t rows, std::int64_t n, const void* x, const void* dy, void* dx) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const auto gradient = [&](std::int64_t r, std::int64_t i) {  // of the cumulative product, only the last counts
      return i == n - 1 ? static_cast<double>(static_cast<const T*>(dy)[r]) : 0.0;
    };
    products_of_others(rows, n, static_cast<const T*>(x), gradient, static_cast<T*>(dx));
  });
}

}  // namespace ff::cpu
