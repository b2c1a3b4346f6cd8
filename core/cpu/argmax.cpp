// argmax() and argmin() of reduce.h.

#include <algorithm>

#include "ff/core/cpu/reduce.h"
#include "ff/core/cpu/reduce_kernels.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

// The first position of extreme, the row's largest or smallest entry (NaN if it has one).
template <class T>
std::int64_t find_first(std::int64_t n, const T* x, T extreme) {
  constexpr std::int64_t block = 64;  // looked at as a whole, which vectorises
  const bool nan = extreme != extreme;
  auto is_it = [&](T v) { return nan ? v != v : v == extreme; };
  std::int64_t i = 0;
  for (; i + block <= n; i += block) {
    bool found = false;
    if (nan)
      for (std::int64_t k = 0; k < block; ++k) found |= x[i + k] != x[i + k];
    else
      for (std::int64_t k = 0; k < block; ++k) found |= x[i + k] == extreme;
    if (found) break;
  }
  while (!is_it(x[i])) ++i;
  return i;
}

void arg_extreme(Reduction op, DType dtype, std::int64_t rows, std::int64_t n, const void* x, std::int64_t* y) {
  if (dtype == boolean) dtype = u8;
  const std::int64_t grain = std::max<std::int64_t>(1, 32 * 1024 / n);
  const ReduceRow reduce_row = reduce_kernels(op, dtype).row;
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const T* row = static_cast<const T*>(x) + r * n;
        T extreme;
        reduce_row(n, row, &extreme);
        y[r] = find_first(n, row, extreme);
      }
    });
  });
}

}  // namespace

void argmax(DType dtype, std::int64_t rows, std::int64_t n, const void* x, std::int64_t* y) {
  arg_extreme(Reduction::max, dtype, rows, n, x, y);
}

void argmin(DType dtype, std::int64_t rows, std::int64_t n, const void* x, std::int64_t* y) {
  arg_extreme(Reduction::min, dtype, rows, n, x, y);
}

}  // namespace ff::cpu
