#pragma once

#include <cstdint>

#include "ff/core/dtype.h"

namespace ff::cpu {

/// Sizes of a two-dimensional convolution window over (channels, height, width) images.
struct Window {
  std::int64_t channels, height, width;  // of the image
  std::int64_t kernel_h, kernel_w;
  std::int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilation_h = 1, dilation_w = 1;
  std::int64_t out_height() const { return (height + 2 * pad_h - dilation_h * (kernel_h - 1) - 1) / stride_h + 1; }
  std::int64_t out_width() const { return (width + 2 * pad_w - dilation_w * (kernel_w - 1) - 1) / stride_w + 1; }
};

/// Unfolds each of count dense images (channels, height, width) into columns (channels kernel_h kernel_w, out_height
/// out_width), zeros outside the image, so that a convolution is a matrix product. f32 or f64.
void im2col(DType dtype, std::int64_t count, const Window& window, const void* images, void* columns);

/// The adjoint: adds columns back into images, which are overwritten. f32 or f64.
void col2im(DType dtype, std::int64_t count, const Window& window, const void* columns, void* images);

}  // namespace ff::cpu
