#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ff/core/io/file.h"
#include "ff/core/io/safetensors.h"

namespace ff::io {

/// What the header of a safetensors file says of one tensor.
struct SafetensorsEntry {
  std::string name;
  DType dtype = f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  ///< its bytes, from the end of the header on
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of their bytes, which leave no gaps
  FileMetadata metadata;
};

/// The format's name of a dtype: "F32", "F64", "I32", "I64", "U8", "BOOL".
std::string_view safetensors_name(DType dtype);

/// Reads and checks the header. Throws Error unless the entries describe exactly the bytes that follow it.
SafetensorsHeader read_safetensors_header(InputFile& file);

}  // namespace ff::io
