#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "ff/core/error.h"

namespace ff::test {

/// A folder that is gone, with all that is in it, when the test is.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  /// Writes a file of that name; its path.
  std::string write(std::string_view name, std::string_view contents) const;
  /// How many files are in it.
  int count() const;

 private:
  std::string folder_;
};

/// The bytes of a file as they are.
std::string slurp(const std::string& path);

/// text as a gzip stream.
std::string gzip(std::string_view text);

/// The bytes of numbers, little- or big-endian.
template <class T>
std::string bytes_of(std::initializer_list<T> values, std::endian order = std::endian::little) {
  std::string out;
  for (const T value : values) {
    std::string bytes(reinterpret_cast<const char*>(&value), sizeof value);
    out += order == std::endian::little ? bytes : std::string(bytes.rbegin(), bytes.rend());
  }
  return out;
}

/// An IDX file: element type (0x08 for bytes), sizes, elements as they stand in the file.
std::string idx_file(int type, std::initializer_list<std::uint32_t> sizes, std::string_view elements);

/// A safetensors file of that header.
std::string safetensors_file(std::string_view header, std::string_view data);

/// Damages a valid file in one of the ways that files are: a byte or several changed, a piece cut out, repeated or
/// overwritten, the end cut off. Attempt i is always the same.
std::string damaged(std::string_view file, std::uint64_t attempt);

}  // namespace ff::test
