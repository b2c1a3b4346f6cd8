#include "ff/core/cpu/resample.h"

#include <algorithm>

#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t task_work = 32 * 1024;  // products of a task, about

// Calls f(entry, weight) for each tap of an output that counts.
template <class F>
void for_each_tap(const Resampling& r, std::int64_t output, F f) {
  for (std::int64_t t = output * r.taps; t < (output + 1) * r.taps; ++t)
    if (r.weight[t] != 0) f(r.index[t], r.weight[t]);
}

// Where entries lie next to each other: a whole row of outputs at once.
template <class T>
void resample_row(const Resampling& r, const T* weights, const T* x, T* y) {
  for (std::int64_t j = 0; j < r.outputs; ++j) {
    T sum = 0;
    for (std::int64_t t = j * r.taps; t < (j + 1) * r.taps; ++t)
      sum += weights[t] != 0 ? weights[t] * x[r.index[t]] : T{0};
    y[j] = sum;
  }
}

template <class T>
void resample_rows(std::int64_t rows, const Resampling& r, const T* x, T* y) {
  const Scratch<T> weights(r.outputs * r.taps);
  std::transform(r.weight, r.weight + weights.size(), weights.data(), [](double w) { return static_cast<T>(w); });
  parallel_for(rows, std::max<std::int64_t>(1, task_work / std::max<std::int64_t>(1, weights.size())),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row)
                   resample_row(r, weights.data(), x + row * r.n, y + row * r.outputs);
               });
}

}  // namespace

void resample(DType dtype, std::int64_t outer, std::int64_t inner, const Resampling& r, const void* x, void* y) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    if (inner == 1) return resample_rows(outer, r, static_cast<const T*>(x), static_cast<T*>(y));
    const std::int64_t work = std::max<std::int64_t>(1, inner * r.taps);
    parallel_for(outer * r.outputs, std::max<std::int64_t>(1, task_work / work),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row) {
                     const T* from = static_cast<const T*>(x) + row / r.outputs * r.n * inner;
                     T* to = static_cast<T*>(y) + row * inner;
                     std::fill_n(to, inner, T{0});
                     for_each_tap(r, row % r.outputs, [&](std::int64_t entry, double weight) {
                       const T w = static_cast<T>(weight);
                       for (std::int64_t i = 0; i < inner; ++i) to[i] += w * from[entry * inner + i];
                     });
                   }
                 });
  });
}

void resample_adjoint(DType dtype, std::int64_t outer, std::int64_t inner, const Resampling& r, const void* y,
                      void* x) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t work = std::max<std::int64_t>(1, (r.n + r.outputs * r.taps) * inner);
    parallel_for(outer, std::max<std::int64_t>(1, task_work / work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        T* to = static_cast<T*>(x) + o * r.n * inner;
        std::fill_n(to, r.n * inner, T{0});
        for (std::int64_t j = 0; j < r.outputs; ++j) {
          const T* from = static_cast<const T*>(y) + (o * r.outputs + j) * inner;
          for_each_tap(r, j, [&](std::int64_t entry, double weight) {
            const T w = static_cast<T>(weight);
            for (std::int64_t i = 0; i < inner; ++i) to[entry * inner + i] += w * from[i];
          });
        }
      }
    });
  });
}

}  // namespace ff::cpu
