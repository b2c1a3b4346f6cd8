#pragma once

#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// How entries between those of a grid come about. PyTorch's "nearest", "nearest-exact", "linear" (and "bilinear",
/// "trilinear"), "bicubic" and "area".
enum class Interpolation { nearest, nearest_exact, linear, cubic, area };

struct InterpolateOptions {
  std::vector<std::int64_t> size{};    ///< of the result: one for each dimension, or one for all
  std::vector<double> scale_factor{};  ///< in its place: sizes are rounded down
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  ///< linear, cubic: the first and last entries stay in place, not the image's edges
  bool recompute_scale_factor = false;  ///< positions go by the ratio of sizes, not by the scale_factor given
};
/// x (B, C, L), (B, C, H, W) or (B, C, D, H, W) resampled along each dimension but the first two, as PyTorch's
/// torch.nn.functional.interpolate (without antialiasing). With s = L / L' (or 1 / scale_factor), entry i of the result
/// lies at s (i + 1/2) - 1/2 of x, or at i (L - 1) / (L' - 1) with align_corners; beyond the first and last entry x
/// goes on as these. nearest takes entry floor(s i), nearest_exact floor(s (i + 1/2)); cubic is the convolution of Keys
/// 1981 with a = -3/4; area the mean, adaptive_avg_pool2d. nearest works on any dtype.
Tensor interpolate(const Tensor& x, const InterpolateOptions& options, Where site = {});

/// (.., C r^2, H, W) to (.., C, H r, W r): channel c r^2 + i r + j becomes pixels (h r + i, w r + j) of channel c (Shi
/// et al. 2016). r: upscale_factor.
Tensor pixel_shuffle(const Tensor& x, std::int64_t upscale_factor, Where site = {});
/// Undoes pixel_shuffle: (.., C, H r, W r) to (.., C r^2, H, W).
Tensor pixel_unshuffle(const Tensor& x, std::int64_t downscale_factor, Where site = {});

}  // namespace ff
