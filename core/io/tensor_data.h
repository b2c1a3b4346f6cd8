#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ff/core/io/file.h"
#include "ff/core/tensor.h"

namespace ff::io {

/// The sizes as a Shape. Throws Error("[op] path: what: ...") beyond Shape::max_rank dimensions, or where the elements
/// of element_bytes each would be more than memory can address, even if another size is 0.
Shape checked_shape(const InputFile& file, std::span<const std::uint64_t> sizes, std::size_t element_bytes,
                    std::string_view what);

/// A tensor whose elements, row-major and little-endian, come next in file. Memory is set aside only when the file can
/// hold them. Throws Error where the file ends before, or a boolean is neither 0 nor 1.
Tensor read_tensor(InputFile& file, const Shape& shape, DType dtype, std::string_view what);

/// Turns the bytes of each element around.
void swap_bytes(const Tensor& tensor);

}  // namespace ff::io
