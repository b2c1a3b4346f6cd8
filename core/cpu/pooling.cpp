#include "ff/core/cpu/pooling.h"

#include <algorithm>

#include "ff/core/cpu/scratch.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t task_work = 32 * 1024;  // numbers looked at by a task, about

// How many numbers the outputs of an axis see.
std::int64_t seen(const PoolAxis& axis) {
  std::int64_t n = 0;
  for (const PoolRange& r : axis.ranges) n += num_chunks(r.end - r.begin, axis.step);
  return n;
}

// Calls body(plane, row) for each output row of each plane, in parallel.
template <class Body>
void for_each_row(std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, Body body) {
  const std::int64_t n = rows.outputs();
  if (n == 0) return;
  const std::int64_t work = std::max<std::int64_t>(1, seen(rows) / n * seen(columns));
  parallel_for(planes * n, std::max<std::int64_t>(1, task_work / work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / n, i % n);
  });
}

}  // namespace

void max_pool(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* x, void* y,
              std::int64_t* index) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t width = columns.outputs();
    for_each_row(planes, rows, columns, [&](std::int64_t plane, std::int64_t row) {
      const T* image = static_cast<const T*>(x) + plane * rows.size * columns.size;
      const std::int64_t to = (plane * rows.outputs() + row) * width;
      const PoolRange r = rows.ranges[static_cast<std::size_t>(row)];
      for (std::int64_t j = 0; j < width; ++j) {
        const PoolRange c = columns.ranges[static_cast<std::size_t>(j)];
        std::int64_t at = r.begin * columns.size + c.begin;
        for (std::int64_t h = r.begin; h < r.end; h += rows.step)
          for (std::int64_t w = c.begin; w < c.end; w += columns.step) {
            // A jump would be mispredicted half the time: the position alone is chosen, and by a mask, which the
            // compiler leaves as it is; the value is read again.
            const T value = image[h * columns.size + w];
            const bool take = (value > image[at]) | (value != value);
            at += (h * columns.size + w - at) & -static_cast<std::int64_t>(take);
          }
        static_cast<T*>(y)[to + j] = image[at];
        index[to + j] = at;
      }
    });
  });
}

void avg_pool(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* x, void* y) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t width = columns.outputs();
    for_each_row(planes, rows, columns, [&](std::int64_t plane, std::int64_t row) {
      const T* image = static_cast<const T*>(x) + plane * rows.size * columns.size;
      const PoolRange r = rows.ranges[static_cast<std::size_t>(row)];
      T* to = static_cast<T*>(y) + (plane * rows.outputs() + row) * width;
      for (std::int64_t j = 0; j < width; ++j) {
        const PoolRange c = columns.ranges[static_cast<std::size_t>(j)];
        double sum = 0;
        for (std::int64_t h = r.begin; h < r.end; h += rows.step)
          for (std::int64_t w = c.begin; w < c.end; w += columns.step)
            sum += static_cast<double>(image[h * columns.size + w]);
        to[j] = static_cast<T>(sum / (r.divisor * c.divisor));
      }
    });
  });
}

void avg_pool_adjoint(DType dtype, std::int64_t planes, const PoolAxis& rows, const PoolAxis& columns, const void* y,
                      void* x) {
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t size = rows.size * columns.size, width = columns.outputs();
    const std::int64_t work = std::max<std::int64_t>(1, size + seen(rows) * seen(columns));
    parallel_for(planes, std::max<std::int64_t>(1, task_work / work), [&](std::int64_t begin, std::int64_t end) {
      const Scratch<double> image(size);
      for (std::int64_t plane = begin; plane < end; ++plane) {
        std::fill_n(image.data(), size, 0.0);
        const T* from = static_cast<const T*>(y) + plane * rows.outputs() * width;
        for (const PoolRange& r : rows.ranges)
          for (const PoolRange& c : columns.ranges) {
            const double share = static_cast<double>(*from++) / (r.divisor * c.divisor);
            for (std::int64_t h = r.begin; h < r.end; h += rows.step)
              for (std::int64_t w = c.begin; w < c.end; w += columns.step) image[h * columns.size + w] += share;
          }
        std::transform(image.data(), image.data() + size, static_cast<T*>(x) + plane * size,
                       [](double v) { return static_cast<T>(v); });
      }
    });
  });
}

}  // namespace ff::cpu
