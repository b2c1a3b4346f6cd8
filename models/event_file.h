#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "ff/core/io/file.h"

namespace ff::models {

/// What was measured, as TensorBoard reads it: a TFRecord file of Event messages, each a record of metrics.jsonl whose
/// numbers are scalars (float32) of the same names.
class EventFile {
 public:
  /// What the name of such a file begins with.
  static constexpr std::string_view prefix = "events.out.tfevents.";

  /// Makes a new file in folder, named by the time so that it sorts after those that are there. step: updates made so
  /// far; a reader forgets what older files of the folder say of later ones, which a run that was killed and goes on
  /// from a checkpoint makes again. Throws Error where the file cannot be made.
  EventFile(const std::string& folder, std::int64_t step);

  /// {"step": 100, "loss": 0.5, ..}: every number but the step, at the time of the call. It is in the file, whole, when
  /// write() returns.
  void write(const nlohmann::ordered_json& record);

 private:
  io::AppendFile file_;
};

}  // namespace ff::models
