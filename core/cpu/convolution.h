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

/// What a convolution maps between: x (count, channels, height, width), the images of a window, in `groups` groups of
/// channels; weight (outputs, channels / groups, kernel_h, kernel_w), outputs in as many groups; y (count, outputs,
/// out_height, out_width). All dense, f32 or f64.
struct Convolution {
  Window window;
  std::int64_t count, outputs, groups = 1;
};

/// y[b, o] = bias[o] + sum over channels c of o's group of the cross-correlation of x[b, c] with weight[o, c]; bias
/// (outputs) may be null. This and the next two are the derivatives of one trilinear form sum y conv(x, weight), each
/// with respect to one of the three. They unfold a bounded part of an image at a time.
void convolution(DType dtype, const Convolution& sizes, const void* x, const void* weight, const void* bias, void* y);
/// The adjoint in x: the transposed convolution of y.
void convolution_input(DType dtype, const Convolution& sizes, const void* y, const void* weight, void* x);
/// The adjoint in weight. Images are summed over in fixed blocks.
void convolution_weight(DType dtype, const Convolution& sizes, const void* x, const void* y, void* weight);

}  // namespace ff::cpu
