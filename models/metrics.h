#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "ff/core/io/file.h"

namespace ff::models {

/// A file of records, one JSON object a line (JSON Lines). A line is in the file as soon as write() returns, whole, so
/// that a run may be watched, or stopped in any way. While it is open no other process can open it.
class MetricsLog {
 public:
  /// Opens path and keeps its first `keep` bytes: 0 for a new log. Throws Error where that fails, it has fewer, or
  /// another MetricsLog has it open.
  explicit MetricsLog(std::string path, std::uint64_t keep = 0);

  void write(const nlohmann::ordered_json& record);
  /// Has all of it on the disk: what a checkpoint counts on even after a loss of power.
  void flush();
  /// The length of the file so far.
  std::uint64_t bytes() const { return file_.size(); }

 private:
  io::AppendFile file_;
};

}  // namespace ff::models
