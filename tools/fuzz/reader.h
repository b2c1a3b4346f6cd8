#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "ff/core/error.h"

/// Inputs that were read without an error, for who wants to know of one.
inline int fuzz_accepted = 0;

/// Has read(path) read a file, held in memory, of what libFuzzer made up. It may refuse it with ff::Error; any other
/// exception is a bug.
inline int fuzz_reader(const std::uint8_t* data, std::size_t size, void (*read)(const std::string& path)) {
  static const int fd = ::memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  try {
    read(path);
    ++fuzz_accepted;
  } catch (const ff::Error&) {
  }
  return 0;
}
