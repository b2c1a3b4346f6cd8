// matmul_integers() of matmul.h.

#include <algorithm>

#include "ff/core/cpu/matmul.h"
#include "ff/core/parallel.h"

namespace ff::cpu {

void matmul_integers(DType dtype, std::int64_t count, std::int64_t m, std::int64_t n, std::int64_t k, const void* a,
                     const std::int64_t* a_offset, MatrixSteps a_steps, const void* b, const std::int64_t* b_offset,
                     MatrixSteps b_steps, void* c) {
  constexpr std::int64_t grain = 256 * 1024;  // multiplications a task does
  const std::int64_t row_cost = std::max<std::int64_t>(n * std::max<std::int64_t>(k, 1), 1);
  dispatch(dtype, [&](auto tag) {
    using T = decltype(tag);
    parallel_for(count * m, std::max<std::int64_t>(1, grain / row_cost), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* x = static_cast<const T*>(a) + a_offset[row / m] + row % m * a_steps.row;
        T* y = static_cast<T*>(c) + row * n;
        std::fill_n(y, n, T{0});
        for (std::int64_t p = 0; p < k; ++p) {
          const auto factor = static_cast<std::uint64_t>(x[p * a_steps.column]);
          const T* z = static_cast<const T*>(b) + b_offset[row / m] + p * b_steps.row;
          for (std::int64_t j = 0; j < n; ++j)  // unsigned, which wraps around
            y[j] = static_cast<T>(static_cast<std::uint64_t>(y[j]) +
                                  factor * static_cast<std::uint64_t>(z[j * b_steps.column]));
        }
      }
    });
  });
}

}  // namespace ff::cpu
