#include "ff/models/metrics.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ff/core/check.h"

namespace ff::models {
namespace {

constexpr const char* op = "metrics";

std::string system_message() { return std::generic_category().message(errno); }

}  // namespace

MetricsLog::MetricsLog(std::string path, std::uint64_t keep) : path_(std::move(path)), bytes_(keep) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  check(fd_ >= 0, op, "{}: cannot be written: {}", path_, system_message());
  try {
    // A file system without locks gives another error, and is done without.
    check(::flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, op,
          "{}: another process is writing it: the run is being trained", path_);
    struct stat status {};
    check(::fstat(fd_, &status) == 0, op, "{}: cannot be examined: {}", path_, system_message());
    check(static_cast<std::uint64_t>(status.st_size) >= keep, op, "{}: has {} bytes; the log to be continued has {}",
          path_, status.st_size, keep);
    check(::ftruncate(fd_, static_cast<off_t>(keep)) == 0, op, "{}: cannot be cut: {}", path_, system_message());
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

MetricsLog::~MetricsLog() { ::close(fd_); }

void MetricsLog::write(const nlohmann::ordered_json& record) {
  const std::string line = record.dump() + "\n";
  const char* from = line.data();
  for (std::size_t left = line.size(); left > 0;) {
    const ssize_t written = ::write(fd_, from, left);
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, op, "{}: cannot be written: {}", path_, system_message());
    from += written;
    left -= static_cast<std::size_t>(written);
  }
  bytes_ += line.size();
}

void MetricsLog::flush() {
  check(::fsync(fd_) == 0 || errno == EINVAL, op, "{}: cannot be flushed: {}", path_, system_message());
}

}  // namespace ff::models
