#include "ff/core/io/file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ff/core/check.h"

namespace ff::io {
namespace {

constexpr std::uint64_t largest_call = std::uint64_t{1} << 30;  // read() and write() take at most 2 GiB at a time

constexpr const char* temporary_mark = ".tmp-";  // between a file's name and what is its writer's

std::string system_message() { return std::generic_category().message(errno); }

// Whether all was written; else errno says why not.
bool write_all(int fd, const void* from, std::uint64_t bytes) {
  for (std::uint64_t done = 0; done < bytes;) {
    const ssize_t n = ::write(fd, static_cast<const char*>(from) + done, std::min(bytes - done, largest_call));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace

struct InputFile::Gzip {
  z_stream stream{};
  std::vector<unsigned char> input = std::vector<unsigned char>(1 << 16);
  bool member_ended = false;

  Gzip() { internal_check(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK, "inflateInit2 failed"); }
  ~Gzip() { inflateEnd(&stream); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
};

InputFile::InputFile(std::string path, std::string op, Format format) : path_(std::move(path)), op_(std::move(op)) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check(fd_ >= 0, op_, "{}: cannot be opened: {}", path_, system_message());
  try {
    struct stat status {};
    check(::fstat(fd_, &status) == 0, op_, "{}: cannot be examined: {}", path_, system_message());
    check(S_ISREG(status.st_mode), op_, "{}: not a regular file", path_);
    size_ = static_cast<std::uint64_t>(status.st_size);
    if (format == Format::plain_or_gzip) {
      unsigned char magic[3] = {};
      const bool whole = ::pread(fd_, magic, 3, 0) == 3;
      if (whole && magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == Z_DEFLATED) gzip_ = std::make_unique<Gzip>();
    }
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

InputFile::~InputFile() { ::close(fd_); }

std::uint64_t InputFile::read_raw(void* to, std::uint64_t bytes) {
  std::uint64_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::read(fd_, static_cast<char*>(to) + done, std::min(bytes - done, largest_call));
    if (n < 0 && errno == EINTR) continue;
    check(n >= 0, op_, "{}: cannot be read at byte {}: {}", path_, raw_read_, system_message());
    if (n == 0) break;
    done += static_cast<std::uint64_t>(n);
    raw_read_ += static_cast<std::uint64_t>(n);
  }
  return done;
}

std::uint64_t InputFile::read_gzip(void* to, std::uint64_t bytes) {
  z_stream& z = gzip_->stream;
  std::uint64_t done = 0;
  while (done < bytes) {
    if (z.avail_in == 0) {
      z.avail_in = static_cast<uInt>(read_raw(gzip_->input.data(), gzip_->input.size()));
      z.next_in = gzip_->input.data();
      if (z.avail_in == 0) {
        check(gzip_->member_ended, op_, "{}: truncated: the gzip stream does not end within the file's {} bytes", path_,
              raw_read_);
        break;
      }
    }
    if (gzip_->member_ended) {
      check(z.next_in[0] == 0x1f, op_, "{}: bytes that are not gzip's follow the gzip stream", path_);
      inflateReset(&z);
      gzip_->member_ended = false;
    }
    const uInt room = static_cast<uInt>(std::min(bytes - done, largest_call));
    z.next_out = static_cast<unsigned char*>(to) + done;
    z.avail_out = room;
    const int status = inflate(&z, Z_NO_FLUSH);
    check(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, op_,
          "{}: damaged gzip stream near byte {}: {}", path_, raw_read_ - z.avail_in, z.msg ? z.msg : "inflate failed");
    done += room - z.avail_out;
    gzip_->member_ended = status == Z_STREAM_END;
  }
  return done;
}

std::uint64_t InputFile::read_some(void* to, std::uint64_t bytes) {
  const std::uint64_t n = gzip_ ? read_gzip(to, bytes) : read_raw(to, bytes);
  position_ += n;
  return n;
}

void InputFile::read(void* to, std::uint64_t bytes, std::string_view what) {
  const std::uint64_t n = read_some(to, bytes);
  check(n == bytes, op_, "{}: truncated: {} takes {} bytes from byte {} on, {} are there", path_, what, bytes,
        position_ - n, n);
}

void InputFile::require(std::uint64_t bytes, std::string_view what) {
  const std::uint64_t left = size_ - std::min(size_, raw_read_);
  if (!gzip_) {
    check(bytes <= left, op_, "{}: truncated: {} takes {} bytes from byte {} on, {} are there", path_, what, bytes,
          position_, left);
    return;
  }
  const std::uint64_t input = left + gzip_->stream.avail_in;
  constexpr std::uint64_t begun = 64;  // what zlib has taken in and not yet put out is worth less than that
  check(bytes / deflate_ratio <= input + begun, op_,
        "{}: truncated: {} takes {} bytes from byte {} on, {} bytes of gzip cannot hold them", path_, what, bytes,
        position_, input);
}

void InputFile::require_end() {
  char extra;
  const std::uint64_t end = position_;
  check(read_some(&extra, 1) == 0, op_, "{}: bytes follow the end of the data at byte {}", path_, end);
}

namespace {

// Where the file goes: through links, so that a link to it stays one.
std::string final_path(const std::string& path, const std::string& op) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return path;
  check(std::filesystem::is_regular_file(status), op, "{}: not a regular file", path);
  const auto target = std::filesystem::canonical(path, error);
  check(!error, op, "{}: {}", path, error.message());
  return target.string();
}

}  // namespace

OutputFile::OutputFile(std::string path, std::string op) : path_(std::move(path)), op_(std::move(op)) {
  static std::atomic<unsigned> counter{0};
  path_ = final_path(path_, op_);
  do {  // a name may be taken by what a killed process of the same number has left
    temporary_ = fmt::format("{}{}{}-{}", path_, temporary_mark, ::getpid(), counter++);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) fail_with_errno("created");
}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void OutputFile::fail_with_errno(std::string_view doing) const {
  fail(op_, "{}: cannot be {}: {}", path_, doing, system_message());
}

void OutputFile::write(const void* from, std::uint64_t bytes) {
  if (!write_all(fd_, from, bytes)) fail_with_errno("written");
}

void OutputFile::commit() {
  if (::fsync(fd_) != 0) fail_with_errno("flushed");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with_errno("renamed to from its temporary name");
  ::close(fd_);
  fd_ = -1;
  // The name itself is on the disk only once the folder is.
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int folder_fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return;  // a folder that may be written to but not listed
  const int error = ::fsync(folder_fd) == 0 ? 0 : errno;
  ::close(folder_fd);
  errno = error;
  if (error == EIO) fail_with_errno("made durable");  // others: a file system that has no such thing
}

void remove_leftovers(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path file(path);
  const std::string beginning = file.filename().string() + temporary_mark;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(file.has_parent_path() ? file.parent_path() : ".", ignored))
    if (entry.path().filename().string().starts_with(beginning)) fs::remove(entry.path(), ignored);
}

FileDigest file_digest(const std::string& path) {
  InputFile file(path, "file_digest", InputFile::Format::plain);
  std::vector<unsigned char> buffer(1 << 20);
  FileDigest digest;
  while (const std::uint64_t n = file.read_some(buffer.data(), buffer.size())) {
    digest.crc32 = static_cast<std::uint32_t>(crc32_z(digest.crc32, buffer.data(), n));
    digest.bytes += n;
  }
  return digest;
}

AppendFile::AppendFile(std::string path, std::string op, std::uint64_t keep)
    : path_(std::move(path)), op_(std::move(op)), size_(keep) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_with_errno("written");
  try {
    // A file system without locks gives another error, and is done without.
    check(::flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, op_, "{}: another process is writing it",
          path_);
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail_with_errno("examined");
    check(static_cast<std::uint64_t>(status.st_size) >= keep, op_, "{}: has {} bytes; what is to be continued has {}",
          path_, status.st_size, keep);
    if (::ftruncate(fd_, static_cast<off_t>(keep)) != 0) fail_with_errno("cut");
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::fail_with_errno(std::string_view doing) const {
  fail(op_, "{}: cannot be {}: {}", path_, doing, system_message());
}

void AppendFile::write(std::string_view bytes) {
  if (!write_all(fd_, bytes.data(), bytes.size())) fail_with_errno("written");
  size_ += bytes.size();
}

void AppendFile::flush() {
  if (::fsync(fd_) != 0 && errno != EINVAL) fail_with_errno("flushed");  // EINVAL: a pipe, a device
}

std::string read_file(const std::string& path, std::uint64_t limit) {
  InputFile file(path, "read_file");
  std::string contents;
  for (std::uint64_t chunk = 1 << 16;; chunk = std::min<std::uint64_t>(2 * chunk, 1 << 26)) {
    const std::size_t before = contents.size();
    contents.resize(before + chunk);
    const std::uint64_t n = file.read_some(contents.data() + before, chunk);
    contents.resize(before + n);
    check(contents.size() <= limit, "read_file", "{}: more than the {} bytes that are allowed", path, limit);
    if (n < chunk) return contents;
  }
}

void write_file(const std::string& path, std::string_view contents) {
  OutputFile file(path, "write_file");
  file.write(contents);
  file.commit();
}

}  // namespace ff::io
