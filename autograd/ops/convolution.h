#pragma once

#include <array>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

struct Conv2dOptions {
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0}, dilation{1, 1};
};
/// Cross-correlation: x (B, C, H, W), weight (O, C, h, w), bias (O) or undefined; (B, O, H', W'),
/// H' = (H + 2 padding - dilation (h - 1) - 1) / stride + 1. Zeros outside.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Conv2dOptions& options = {},
              Where site = {});

}  // namespace ff
