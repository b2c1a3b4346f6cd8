#include "ff/core/cpu/convolution.h"

#include <algorithm>

#include "ff/core/parallel.h"

namespace ff::cpu {
namespace {

constexpr std::int64_t grain = 32 * 1024;  // elements a task moves

// One row of the columns' matrix: a channel seen through one place of the window.
struct Place {
  std::int64_t channel, kh, kw;
};

Place place_of(const Window& w, std::int64_t row) {
  return {row / (w.kernel_h * w.kernel_w), row / w.kernel_w % w.kernel_h, row % w.kernel_w};
}

// The outputs o, [begin, end) of [0, out), whose input position o * stride + offset lies in [0, size).
struct Range {
  std::int64_t begin, end;
};

Range inside(std::int64_t out, std::int64_t size, std::int64_t stride, std::int64_t offset) {
  const std::int64_t begin = offset >= 0 ? 0 : num_chunks(-offset, stride);
  const std::int64_t end = size - offset <= 0 ? 0 : num_chunks(size - offset, stride);
  return {std::min(begin, out), std::max(std::min(end, out), std::min(begin, out))};
}

// columns (out_h, out_w) = the channel shifted to that place, zeros outside.
template <class T>
void unfold(const Window& w, const Place& p, const T* channel, T* columns) {
  const std::int64_t out_h = w.out_height(), out_w = w.out_width();
  const std::int64_t top = p.kh * w.dilation_h - w.pad_h, left = p.kw * w.dilation_w - w.pad_w;
  const Range hs = inside(out_h, w.height, w.stride_h, top), ws = inside(out_w, w.width, w.stride_w, left);
  for (std::int64_t oh = 0; oh < out_h; ++oh, columns += out_w) {
    if (oh < hs.begin || oh >= hs.end) {
      std::fill_n(columns, out_w, T{0});
      continue;
    }
    // Where output 0 looks, which may be outside: an index, for a pointer there would not be legal.
    const std::int64_t start = (oh * w.stride_h + top) * w.width + left;
    std::fill(columns, columns + ws.begin, T{0});
    if (w.stride_w == 1)
      std::copy_n(channel + start + ws.begin, ws.end - ws.begin, columns + ws.begin);
    else
      for (std::int64_t ow = ws.begin; ow < ws.end; ++ow) columns[ow] = channel[start + ow * w.stride_w];
    std::fill(columns + ws.end, columns + out_w, T{0});
  }
}

// channel += columns (out_h, out_w), at that place.
template <class T>
void fold(const Window& w, const Place& p, const T* columns, T* channel) {
  const std::int64_t out_h = w.out_height(), out_w = w.out_width();
  const std::int64_t top = p.kh * w.dilation_h - w.pad_h, left = p.kw * w.dilation_w - w.pad_w;
  const Range hs = inside(out_h, w.height, w.stride_h, top), ws = inside(out_w, w.width, w.stride_w, left);
  for (std::int64_t oh = hs.begin; oh < hs.end; ++oh) {
    const std::int64_t start = (oh * w.stride_h + top) * w.width + left;
    for (std::int64_t ow = ws.begin; ow < ws.end; ++ow) channel[start + ow * w.stride_w] += columns[oh * out_w + ow];
  }
}

}  // namespace

void im2col(DType dtype, std::int64_t count, const Window& w, const void* images, void* columns) {
  const std::int64_t rows = w.channels * w.kernel_h * w.kernel_w, positions = w.out_height() * w.out_width();
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(positions, 1));
    parallel_for(count * rows, rows_at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Place p = place_of(w, i % rows);
        const T* channel = static_cast<const T*>(images) + (i / rows * w.channels + p.channel) * w.height * w.width;
        unfold(w, p, channel, static_cast<T*>(columns) + i * positions);
      }
    });
  });
}

void col2im(DType dtype, std::int64_t count, const Window& w, const void* columns, void* images) {
  const std::int64_t places = w.kernel_h * w.kernel_w, positions = w.out_height() * w.out_width();
  dispatch_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const std::int64_t at_once = std::max<std::int64_t>(1, grain / std::max<std::int64_t>(places * positions, 1));
    parallel_for(count * w.channels, at_once, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {  // a channel of an image
        T* channel = static_cast<T*>(images) + i * w.height * w.width;
        std::fill_n(channel, w.height * w.width, T{0});
        for (std::int64_t k = 0; k < places; ++k)
          fold(w, {0, k / w.kernel_w, k % w.kernel_w}, static_cast<const T*>(columns) + (i * places + k) * positions,
               channel);
      }
    });
  });
}

}  // namespace ff::cpu
