#pragma once

#include <array>
#include <optional>
#include <utility>

#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

// PyTorch's torch.nn.functional functions of the same names. x is (B, C, L) or (B, C, H, W), the batch may be missing;
// floating. The result has L' = floor((L + 2 padding - dilation (kernel - 1) - 1) / stride) + 1 windows along each
// dimension, with ceil_mode the quotient rounded up, but none that begins in the padding behind x. A padding of at most
// half a window is looked through by a maximum, and counts as zeros in an average.

struct MaxPool1dOptions {
  std::optional<std::int64_t> stride{};  ///< default: the kernel's size
  std::int64_t padding = 0, dilation = 1;
  bool ceil_mode = false;
};
struct MaxPool2dOptions {
  std::optional<std::array<std::int64_t, 2>> stride{};  ///< default: the kernel's sizes
  std::array<std::int64_t, 2> padding{0, 0}, dilation{1, 1};
  bool ceil_mode = false;
};
/// The largest entry of each window, NaN if it holds one. The gradient goes to that entry, the first of equals.
Tensor max_pool1d(const Tensor& x, std::int64_t kernel, const MaxPool1dOptions& options = {}, Where site = {});
Tensor max_pool2d(const Tensor& x, std::array<std::int64_t, 2> kernel, const MaxPool2dOptions& options = {},
                  Where site = {});
/// The same, and where the entries are: h W + w in their plane (or l), i64.
std::pair<Tensor, Tensor> max_pool1d_with_indices(const Tensor& x, std::int64_t kernel,
                                                  const MaxPool1dOptions& options = {}, Where site = {});
std::pair<Tensor, Tensor> max_pool2d_with_indices(const Tensor& x, std::array<std::int64_t, 2> kernel,
                                                  const MaxPool2dOptions& options = {}, Where site = {});

struct AvgPool1dOptions {
  std::optional<std::int64_t> stride{};  ///< default: the kernel's size
  std::int64_t padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< the divisor counts padding (what lies beyond it, of ceil_mode, never)
};
struct AvgPool2dOptions {
  std::optional<std::array<std::int64_t, 2>> stride{};  ///< default: the kernel's sizes
  std::array<std::int64_t, 2> padding{0, 0};
  bool ceil_mode = false;
  bool count_include_pad = true;
  std::optional<std::int64_t> divisor_override{};  ///< divides the sum of every window; not 0
};
/// The mean of each window.
Tensor avg_pool1d(const Tensor& x, std::int64_t kernel, const AvgPool1dOptions& options = {}, Where site = {});
Tensor avg_pool2d(const Tensor& x, std::array<std::int64_t, 2> kernel, const AvgPool2dOptions& options = {},
                  Where site = {});

/// The mean (the largest entry) of `output` windows that cover x evenly: window i of n is
/// [floor(i L / n), ceil((i + 1) L / n)).
Tensor adaptive_avg_pool1d(const Tensor& x, std::int64_t output, Where site = {});
Tensor adaptive_avg_pool2d(const Tensor& x, std::array<std::int64_t, 2> output, Where site = {});
Tensor adaptive_max_pool1d(const Tensor& x, std::int64_t output, Where site = {});
Tensor adaptive_max_pool2d(const Tensor& x, std::array<std::int64_t, 2> output, Where site = {});

/// x / (k + alpha mean)^beta, the mean being of the squares of `size` neighbouring channels, c - floor(size / 2) to
/// c + floor((size - 1) / 2), zeros outside: x (B, C, ..) (Krizhevsky, Sutskever, Hinton 2012, with alpha / size).
Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1,
                           Where site = {});

}  // namespace ff
