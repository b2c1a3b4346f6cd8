#pragma once

#include <array>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// PyTorch's torch.nn.functional functions of the same names. x may lack the batch dimension, and so does the result
// then. Channels are dealt out to `groups` groups, each convolved on its own: with as many groups as channels, a
// depthwise convolution. Where the two sides are to be padded differently, pad x before.

struct Conv1dOptions {
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;
};
struct Conv2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};  ///< down, across
  std::int64_t groups = 1;
};
/// Cross-correlation: x (B, C, L), weight (O, C / groups, l), bias (O) or undefined; (B, O, L'),
/// L' = floor((L + 2 padding - dilation (l - 1) - 1) / stride) + 1. Zeros outside.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv1dOptions& options = {},
              Where site = {});
/// x (B, C, H, W), weight (O, C / groups, h, w), bias (O) or undefined; (B, O, H', W'), each as L' above.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {},
              Where site = {});

struct ConvTranspose1dOptions {
  std::int64_t stride = 1, padding = 0, output_padding = 0, groups = 1, dilation = 1;
};
struct ConvTranspose2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, output_padding{0, 0};  ///< down, across
  std::int64_t groups = 1;
  std::array<std::int64_t, 2> dilation{1, 1};
};
/// The adjoint of conv1d with the same options: x (B, C, L), weight (C, O / groups, l), bias (O) or undefined;
/// (B, O, L'), L' = (L - 1) stride - 2 padding + dilation (l - 1) + output_padding + 1. output_padding chooses among
/// the sizes that conv1d takes to L; it must be less than stride or dilation.
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose1dOptions& options = {}, Where site = {});
/// x (B, C, H, W), weight (C, O / groups, h, w), bias (O) or undefined; (B, O, H', W').
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTranspose2dOptions& options = {}, Where site = {});

struct Im2colOptions {
  std::array<std::int64_t, 2> dilation{1, 1}, padding{0, 0}, stride{1, 1};  ///< down, across
};
/// Every window of x (B, C, H, W) a column: (B, C h w, H' W'), kernel {h, w}, H' and W' as conv2d's, zeros outside.
/// PyTorch's torch.nn.functional.unfold.
Tensor im2col(const Tensor& x, std::array<std::int64_t, 2> kernel, const Im2colOptions& options = {}, Where site = {});
/// The adjoint: columns (B, C h w, H' W') added up into images (B, C, H, W) of the given size {H, W}. PyTorch's
/// torch.nn.functional.fold.
Tensor col2im(const Tensor& columns, std::array<std::int64_t, 2> size, std::array<std::int64_t, 2> kernel,
              const Im2colOptions& options = {}, Where site = {});

}  // namespace ff
