#include "ff/core/cpu/linear_cross_entropy.h"

#include <algorithm>

#include "ff/core/cpu/matmul.h"
#include "ff/core/cpu/scratch.h"
#include "ff/core/cpu/softmax.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

// Of logits that stand at a time: few enough for a cache, and rows enough that weight, which each block of rows goes
// through, is not what takes the time.
constexpr std::int64_t block_elements = 2 << 20, least_rows = 64;
constexpr std::int64_t grain = 16 * 1024;  // elements a task works on

// y (rows, n): bias in each row.
template <class T>
void fill_rows(std::int64_t rows, std::int64_t n, const T* bias, T* y) {
  parallel_for(rows, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(n, 1)), [=](auto begin, auto end) {
    for (std::int64_t r = begin; r < end; ++r) std::copy_n(bias, n, y + r * n);
  });
}

// sums (n) += the columns of x (rows, n)
template <class T>
void add_columns(std::int64_t rows, std::int64_t n, const T* x, double* sums) {
  parallel_for(n, std::max<std::int64_t>(64, grain / std::max<std::int64_t>(rows, 1)), [=](auto begin, auto end) {
    for (std::int64_t r = 0; r < rows; ++r) {
      const T* __restrict row = x + r * n;
      double* __restrict sum = sums;
      for (std::int64_t j = begin; j < end; ++j) sum[j] += static_cast<double>(row[j]);
    }
  });
}

template <class T>
void run(const LinearCrossEntropy& of, double scale, T* loss, const LinearCrossEntropyGradients& gradients) {
  const std::int64_t n = of.classes, k = of.inner, ldk = std::max<std::int64_t>(k, 1);
  const std::int64_t block = std::min(of.rows, std::max(least_rows, block_elements / n));
  const bool backward = gradients.x != nullptr || gradients.weight != nullptr || gradients.bias != nullptr;
  const auto* weight = static_cast<const T*>(of.weight);
  const Scratch<T> logits(block * n), lse(block), scales(block, static_cast<T>(scale));
  const Scratch<double> columns(gradients.bias != nullptr ? n : 0, 0.0);
  for (std::int64_t begin = 0; begin < of.rows; begin += block) {
    const std::int64_t rows = std::min(block, of.rows - begin);
    const T* x = static_cast<const T*>(of.x) + begin * k;
    const std::int64_t* target = of.target + begin;
    if (of.bias != nullptr) fill_rows(rows, n, static_cast<const T*>(of.bias), logits.data());
    gemm(false, true, rows, n, k, T{1}, x, ldk, weight, ldk, static_cast<T>(of.bias != nullptr), logits.data(), n);
    cross_entropy(of.dtype, rows, n, logits.data(), target, of.ignore_index, of.smoothing, loss + begin, lse.data());
    if (!backward) continue;
    cross_entropy_backward(of.dtype, rows, n, logits.data(), target, of.ignore_index, of.smoothing, lse.data(),
                           scales.data(), logits.data());
    if (gradients.x != nullptr)
      gemm(false, false, rows, k, n, T{1}, logits.data(), n, weight, ldk, T{0},
           static_cast<T*>(gradients.x) + begin * k, ldk);
    if (gradients.weight != nullptr)
      gemm(true, false, n, k, rows, T{1}, logits.data(), n, x, ldk, static_cast<T>(begin > 0),
           static_cast<T*>(gradients.weight), ldk);
    if (gradients.bias != nullptr) add_columns(rows, n, logits.data(), columns.data());
  }
  if (gradients.weight != nullptr && of.rows == 0) std::fill_n(static_cast<T*>(gradients.weight), n * k, T{0});
  for (std::int64_t j = 0; j < columns.size(); ++j) static_cast<T*>(gradients.bias)[j] = static_cast<T>(columns[j]);
}

}  // namespace

void linear_cross_entropy(const LinearCrossEntropy& of, double scale, void* loss,
                          const LinearCrossEntropyGradients& gradients) {
  dispatch_floating(of.dtype, [&](auto tag) {
    using T = decltype(tag);
    run(of, scale, static_cast<T*>(loss), gradients);
  });
}

}  // namespace ff::cpu
