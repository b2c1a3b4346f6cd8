#include "ff/core/io/idx.h"

#include <array>
#include <bit>

#include "ff/core/check.h"
#include "ff/core/io/tensor_data.h"

namespace ff {
namespace {

// What the third byte of the magic stands for.
struct Type {
  std::size_t bytes;  // an element takes in the file
  DType dtype;        // it is read as
};

Type type_of(const io::InputFile& file, int code) {
  switch (code) {
    case 0x08:
      return {1, u8};
    case 0x09:
      return {1, i32};
    case 0x0B:
      return {2, i32};
    case 0x0C:
      return {4, i32};
    case 0x0D:
      return {4, f32};
    case 0x0E:
      return {8, f64};
    default:
      break;
  }
  fail(file.op(), "{}: element type 0x{:02x} (third byte), expected 0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e", file.path(),
       code);
}

// Signed big-endian integers of one or two bytes, widened.
Tensor read_short_integers(io::InputFile& file, const Shape& shape, std::size_t bytes) {
  const std::uint64_t total = static_cast<std::uint64_t>(shape.numel()) * bytes;
  file.require(total, "the elements");
  std::vector<std::uint8_t> raw(total);
  file.read(raw.data(), total, "the elements");
  const Tensor tensor = Tensor::empty(shape, i32);
  auto* out = tensor.data<std::int32_t>();
  for (std::size_t i = 0; i < raw.size() / bytes; ++i)
    out[i] =
        bytes == 1 ? static_cast<std::int8_t>(raw[i]) : static_cast<std::int16_t>(raw[2 * i] << 8 | raw[2 * i + 1]);
  return tensor;
}

}  // namespace

Tensor load_idx(const std::string& path) {
  io::InputFile file(path, "load_idx");
  std::array<std::uint8_t, 4> magic{};
  file.read(magic.data(), magic.size(), "the magic of an IDX file");
  check(magic[0] == 0 && magic[1] == 0, file.op(), "{}: not an IDX file: its first two bytes must be 0, got {} and {}",
        path, magic[0], magic[1]);
  const auto [bytes, dtype] = type_of(file, magic[2]);
  check(magic[3] <= Shape::max_rank, file.op(), "{}: {} dimensions (fourth byte), at most {} are supported", path,
        magic[3], Shape::max_rank);

  std::vector<std::uint64_t> sizes;
  for (int i = 0; i < magic[3]; ++i) {
    std::array<std::uint8_t, 4> b{};
    file.read(b.data(), b.size(), fmt::format("size {} of {}", i + 1, magic[3]));
    sizes.push_back(std::uint64_t{b[0]} << 24 | std::uint64_t{b[1]} << 16 | std::uint64_t{b[2]} << 8 | b[3]);
  }
  const Shape shape = io::checked_shape(file, sizes, size_of(dtype), "the sizes");

  Tensor tensor;
  if (bytes < size_of(dtype)) {
    tensor = read_short_integers(file, shape, bytes);
  } else {
    tensor = io::read_tensor(file, shape, dtype, "the elements");
    io::swap_bytes(tensor);
  }
  file.require_end();
  return tensor;
}

}  // namespace ff
