// A channel of an image unfolded through one place of a convolution's window, and the adjoint: what im2col, col2im and
// the convolutions are made of.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ff/core/cpu/convolution.h"
#include "ff/core/parallel.h"

namespace ff::cpu {

// One row of the columns' matrix: a channel seen through one place of the window.
struct Place {
  std::int64_t channel, kh, kw;
};

inline Place place_of(const Window& w, std::int64_t row) {
  return {row / (w.kernel_h * w.kernel_w), row / w.kernel_w % w.kernel_h, row % w.kernel_w};
}

// Some of an output's rows, or of its columns.
struct Band {
  std::int64_t begin, end;
};

// The outputs o of [0, out) whose input position o * stride + offset lies in [0, size).
inline Band inside(std::int64_t out, std::int64_t size, std::int64_t stride, std::int64_t offset) {
  const std::int64_t begin = offset >= 0 ? 0 : num_chunks(-offset, stride);
  const std::int64_t end = size - offset <= 0 ? 0 : num_chunks(size - offset, stride);
  return {std::min(begin, out), std::max(std::min(end, out), std::min(begin, out))};
}

// columns (band, out_w) = the channel shifted to that place, zeros outside.
template <class T>
void unfold(const Window& w, const Place& p, Band band, const T* channel, T* columns) {
  const std::int64_t out_h = w.out_height(), out_w = w.out_width();
  const std::int64_t top = p.kh * w.dilation_h - w.pad_h, left = p.kw * w.dilation_w - w.pad_w;
  const Band hs = inside(out_h, w.height, w.stride_h, top), ws = inside(out_w, w.width, w.stride_w, left);
  for (std::int64_t oh = band.begin; oh < band.end; ++oh, columns += out_w) {
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

// channel += columns (band, out_w), at that place.
template <class T>
void fold(const Window& w, const Place& p, Band band, const T* columns, T* channel) {
  const std::int64_t out_h = w.out_height(), out_w = w.out_width();
  const std::int64_t top = p.kh * w.dilation_h - w.pad_h, left = p.kw * w.dilation_w - w.pad_w;
  const Band hs = inside(out_h, w.height, w.stride_h, top), ws = inside(out_w, w.width, w.stride_w, left);
  for (std::int64_t oh = std::max(hs.begin, band.begin); oh < std::min(hs.end, band.end); ++oh) {
    const std::int64_t start = (oh * w.stride_h + top) * w.width + left;
    for (std::int64_t ow = ws.begin; ow < ws.end; ++ow)
      channel[start + ow * w.stride_w] += columns[(oh - band.begin) * out_w + ow];
  }
}

}  // namespace ff::cpu
