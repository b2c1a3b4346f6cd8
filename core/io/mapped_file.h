#pragma once

#include <cstddef>
#include <string>

namespace ff::io {

/// The bytes of a regular file as memory, read from the disk as they are touched. What is written to the memory does
/// not reach the file. A file that somebody cuts short while it is mapped ends the program; one that is replaced, as
/// OutputFile does, stays what it was.
class MappedFile {
 public:
  /// Throws Error naming op and path where the file cannot be mapped.
  MappedFile(const std::string& path, const std::string& op);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  /// Takes out of this process's memory what lies between two offsets, none of which has been written to; it is read
  /// again when it is touched.
  void release(std::size_t begin, std::size_t end) const;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ff::io
