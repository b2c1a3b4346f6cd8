#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ff::io {

/// Deflate stores at most 258 bytes in two bits or so: no stream grows by more than that (zlib's technical notes).
inline constexpr std::uint64_t deflate_ratio = 1032;

/// A regular file read from its beginning to its end, uncompressed on the way if it is gzip's. Every error names the
/// operation, the path and what was being read.
class InputFile {
 public:
  /// What may be in the file: just the bytes, or perhaps gzip's (told by its magic; of several members, one after the
  /// other).
  enum class Format { plain, plain_or_gzip };

  /// Opens path for op, the name that stands in front of error messages.
  InputFile(std::string path, std::string op, Format format = Format::plain_or_gzip);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Reads exactly bytes bytes, which are `what`. Throws Error where the file ends before.
  void read(void* to, std::uint64_t bytes, std::string_view what);
  /// Reads up to bytes bytes, fewer only at the end of the file; how many.
  std::uint64_t read_some(void* to, std::uint64_t bytes);
  /// Throws Error unless bytes more bytes, which are `what`, can follow: to be asked before memory is set aside for
  /// them. Exact for a plain file; for gzip bounded by the best compression the format allows.
  void require(std::uint64_t bytes, std::string_view what);
  /// Throws Error unless the file has been read to its end (for gzip: and its checksum is right).
  void require_end();

  /// Bytes read so far, uncompressed.
  std::uint64_t position() const { return position_; }
  /// Bytes of the file on disk, when it was opened.
  std::uint64_t disk_size() const { return size_; }
  /// How many of those have been read.
  std::uint64_t disk_position() const { return raw_read_; }
  bool is_gzip() const { return gzip_ != nullptr; }
  const std::string& path() const { return path_; }
  const std::string& op() const { return op_; }

 private:
  struct Gzip;

  std::uint64_t read_raw(void* to, std::uint64_t bytes);
  std::uint64_t read_gzip(void* to, std::uint64_t bytes);

  std::string path_, op_;
  int fd_ = -1;
  std::uint64_t size_ = 0;      // on disk
  std::uint64_t raw_read_ = 0;  // of those, read
  std::uint64_t position_ = 0;
  std::unique_ptr<Gzip> gzip_;
};

/// A file that is either written whole or not at all: bytes go to a temporary file beside it, which commit() flushes to
/// the disk and renames. Without commit() nothing is left behind.
class OutputFile {
 public:
  /// Throws Error where the file cannot be written, or where path is there and no regular file.
  OutputFile(std::string path, std::string op);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const void* from, std::uint64_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  [[noreturn]] void fail_with_errno(std::string_view doing) const;

  std::string path_, op_, temporary_;
  int fd_ = -1;
};

/// Removes what a killed process may have left of an unfinished OutputFile of that path. Nobody may be writing it.
void remove_leftovers(const std::string& path);

/// How long a file on the disk is, and the CRC-32 of its bytes (ISO 3309, as in zlib and gzip).
struct FileDigest {
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;
  bool operator==(const FileDigest&) const = default;
};
FileDigest file_digest(const std::string& path);

/// A file that grows at its end. What write() is given is in the file as soon as it returns, so that others may watch
/// it grow, and whoever writes may be stopped in any way. While it is open no other process can open it as one.
class AppendFile {
 public:
  /// Opens path, or makes it, and keeps its first `keep` bytes: 0 for a new file. Throws Error where that fails, it has
  /// fewer, or another AppendFile has it open.
  AppendFile(std::string path, std::string op, std::uint64_t keep = 0);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void write(std::string_view bytes);
  /// Has all of it on the disk, where even a loss of power leaves it.
  void flush();
  /// The length of the file so far.
  std::uint64_t size() const { return size_; }

 private:
  [[noreturn]] void fail_with_errno(std::string_view doing) const;

  std::string path_, op_;
  int fd_ = -1;
  std::uint64_t size_;
};

/// The most that read_file() reads unless told otherwise: 4 GiB.
inline constexpr std::uint64_t default_read_limit = std::uint64_t{1} << 32;

/// A whole file, uncompressed if it is gzip's. Throws Error where that makes more than limit bytes.
std::string read_file(const std::string& path, std::uint64_t limit = default_read_limit);

/// Writes a whole file, atomically.
void write_file(const std::string& path, std::string_view contents);

}  // namespace ff::io
