#include "ff/core/io/tensor_data.h"

#include <algorithm>
#include <bit>

#include "ff/core/check.h"

namespace ff::io {

static_assert(std::endian::native == std::endian::little, "files hold little-endian numbers, which are not converted");

Shape checked_shape(const InputFile& file, std::span<const std::uint64_t> sizes, std::size_t element_bytes,
                    std::string_view what) {
  check(sizes.size() <= Shape::max_rank, file.op(), "{}: {}: {} dimensions, at most {} are supported", file.path(),
        what, sizes.size(), Shape::max_rank);
  Shape shape;
  std::int64_t bytes = static_cast<std::int64_t>(element_bytes);
  for (const std::uint64_t size : sizes) {
    check(size <= INT64_MAX &&
              !__builtin_mul_overflow(bytes, std::max<std::int64_t>(static_cast<std::int64_t>(size), 1), &bytes),
          file.op(), "{}: {}: shape [{}] is too large", file.path(), what, fmt::join(sizes, ", "));
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

Tensor read_tensor(InputFile& file, const Shape& shape, DType dtype, std::string_view what) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(shape.numel()) * size_of(dtype);
  file.require(bytes, what);
  Tensor tensor = Tensor::empty(shape, dtype);
  file.read(tensor.raw(), bytes, what);
  if (dtype == boolean) {
    const auto* first = static_cast<const std::uint8_t*>(tensor.raw());
    const auto* bad = std::find_if(first, first + bytes, [](std::uint8_t b) { return b > 1; });
    check(bad == first + bytes, file.op(), "{}: {}: a boolean is 0 or 1, element {} is {}", file.path(), what,
          bad - first, bad == first + bytes ? 0 : int{*bad});
  }
  return tensor;
}

void swap_bytes(const Tensor& tensor) {
  auto* element = static_cast<std::uint8_t*>(tensor.raw());
  const auto width = static_cast<std::ptrdiff_t>(size_of(tensor.dtype()));
  if (width == 1) return;
  for (std::int64_t i = 0; i < tensor.numel(); ++i, element += width) std::reverse(element, element + width);
}

}  // namespace ff::io
