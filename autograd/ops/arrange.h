#pragma once

#include <optional>
#include <vector>

#include "ff/autograd/ops/dims.h"
#include "ff/core/call_site.h"
#include "ff/core/tensor.h"

namespace ff {

/// The entries along each of dims in reverse order. A copy.
Tensor flip(const Tensor& x, const Dims& dims, Where site = {});
/// Each entry moved shifts[i] places along dims[i], those that leave at the end coming in at the beginning. Without
/// dims, x is taken as one row and given its shape again.
Tensor roll(const Tensor& x, const std::vector<std::int64_t>& shifts, const Dims& dims = {}, Where site = {});
/// The whole tensor times[i] times along dimension i; where times has more entries than x has dimensions, they begin
/// with new ones of size 1. (2, 3) by {2, 1, 2}: (2, 2, 6). As PyTorch's Tensor.repeat.
Tensor repeat(const Tensor& x, const Shape& times, Where site = {});
/// Each entry along dim `times` times, one after the other. Without dim, of x as one row.
Tensor repeat_interleave(const Tensor& x, std::int64_t times, std::optional<int> dim = {}, Where site = {});
/// Entry i along dim times[i] times; times of one dimension, i64 or i32.
Tensor repeat_interleave(const Tensor& x, const Tensor& times, std::optional<int> dim = {}, Where site = {});

}  // namespace ff
