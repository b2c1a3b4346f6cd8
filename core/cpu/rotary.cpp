#include "ff/core/cpu/rotary.h"

#include <algorithm>
#include <cmath>

#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t task_work = 32 * 1024;  // numbers of a task, about

// cos and sin of a position's angles, one pair after the other.
template <class T>
void fill_angles(const Rotation& r, std::int64_t position, std::int64_t pairs, T* cosine, T* sine) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    const double frequency = std::pow(r.base, -static_cast<double>(i) / static_cast<double>(pairs));
    const double angle = (static_cast<double>(r.offset) + static_cast<double>(position)) * frequency;
    cosine[i] = static_cast<T>(std::cos(angle));
    sine[i] = static_cast<T>(r.back ? -std::sin(angle) : std::sin(angle));
  }
}

// One row; the features of pair i are i * step and i * step + apart.
template <class T>
void rotate_row(std::int64_t pairs, std::int64_t step, std::int64_t apart, const T* cosine, const T* sine, const T* x,
                T* y) {
  for (std::int64_t i = 0; i < pairs; ++i) {
    const T a = x[i * step], b = x[i * step + apart];
    y[i * step] = a * cosine[i] - b * sine[i];
    y[i * step + apart] = b * cosine[i] + a * sine[i];
  }
}

}  // namespace

void rotate_pairs(DType dtype, std::int64_t count, std::int64_t positions, std::int64_t features, const Rotation& r,
                  const void* x, void* y) {
  const std::int64_t pairs = features / 2;
  if (count == 0 || pairs == 0) return;
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Scratch<T> cosine(positions * pairs), sine(positions * pairs);
    parallel_for(positions, std::max<std::int64_t>(1, task_work / 16 / pairs),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t n = begin; n < end; ++n)
                     fill_angles(r, n, pairs, cosine.data() + n * pairs, sine.data() + n * pairs);
                 });
    parallel_for(
        count * positions, std::max<std::int64_t>(1, task_work / features), [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t at = row % positions * pairs;
            rotate_row(pairs, r.interleaved ? 2 : 1, r.interleaved ? 1 : pairs, cosine.data() + at, sine.data() + at,
                       static_cast<const T*>(x) + row * features, static_cast<T*>(y) + row * features);
          }
        });
  });
}

}  // namespace ff::cpu
