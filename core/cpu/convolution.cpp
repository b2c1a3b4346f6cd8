#include "ff/core/cpu/convolution.h"

#include <algorithm>

#include "ff/core/cpu/convolution_columns.h"
#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements a task moves

}  // namespace

void im2col(DType dtype, std::int64_t count, const Window& w, const void* images, void* columns) {
  const std::int64_t rows = w.channels * w.kernel_h * w.kernel_w, positions = w.out_height() * w.out_width();
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Band all{0, w.out_height()};
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(positions, 1));
    parallel_for(count * rows, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Place p = place_of(w, i % rows);
        const T* channel = static_cast<const T*>(images) + (i / rows * w.channels + p.channel) * w.height * w.width;
        unfold(w, p, all, channel, static_cast<T*>(columns) + i * positions);
      }
    });
  });
}

void col2im(DType dtype, std::int64_t count, const Window& w, const void* columns, void* images) {
  const std::int64_t places = w.kernel_h * w.kernel_w, positions = w.out_height() * w.out_width();
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const Band all{0, w.out_height()};
    const std::int64_t at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(places * positions, 1));
    parallel_for(count * w.channels, at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {  // a channel of an image
        T* channel = static_cast<T*>(images) + i * w.height * w.width;
        std::fill_n(channel, w.height * w.width, T{0});
        for (std::int64_t k = 0; k < places; ++k)
          fold(w, {0, k / w.kernel_w, k % w.kernel_w}, all,
               static_cast<const T*>(columns) + (i * places + k) * positions, channel);
      }
    });
  });
}

}  // namespace ff::cpu
