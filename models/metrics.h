#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "ff/core/io/file.h"

namespace ff::models {

/// A file of records, one JSON object a line (JSON Lines). A line is in the file as soon as write() returns, whole, so
/// that a run may be watched, or stopped in any way.
class MetricsLog {
 public:
  /// Opens path and keeps its first `keep` bytes: 0 for a new log. Throws Error where that fails, or it has fewer.
  explicit MetricsLog(std::string path, std::uint64_t keep = 0);

  void write(const nlohmann::ordered_json& record);
  /// The length of the file so far.
  std::uint64_t bytes() const { return file_.size(); }

 private:
  io::AppendFile file_;
};

}  // namespace ff::models
