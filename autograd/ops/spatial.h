#pragma once

#include <array>
#include <string_view>

#include "ff/core/tensor.h"

/// What convolutions, pooling and resampling share: images of one or two dimensions, with or without a batch.
namespace ff::spatial {

/// Throws Error("[op] ...") unless x is floating and (C, sizes..) or (B, C, sizes..), of n sizes (1 or 2).
void check_image(const char* op, int n, const Tensor& x);

/// Such an x as (B, C, H, W): a missing batch is 1, a missing height 1.
Tensor to_images(const Tensor& x, int n);

/// Undoes to_images on a result, like being what was given.
Tensor from_images(const Tensor& y, const Tensor& like, int n);

/// Throws Error("[op] ...") unless low <= values < 2^31, so that the sum or product of two is safe to compute.
void check_values(const char* op, std::string_view what, std::array<std::int64_t, 2> values, std::int64_t low);

/// Throws Error("[op] ...") where a result of the shape would not fit any memory.
void check_result(const char* op, const Shape& shape);

}  // namespace ff::spatial
