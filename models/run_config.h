#pragma once

#include <string>
#include <string_view>

#include "ff/models/language/config.h"
#include "ff/models/time_series/config.h"
#include "ff/models/train_config.h"
#include "ff/models/vision/config.h"

namespace ff::models {

enum class Task { vision, language, time_series };

/// As configurations spell it: "time_series".
std::string_view name(Task task);

struct VisionConfig {
  VisionModelConfig model;
  VisionDataConfig data;
};

struct LanguageConfig {
  LanguageModelConfig model;
  LanguageDataConfig data;
};

struct TimeSeriesConfig {
  TimeSeriesModelConfig model;
  TimeSeriesDataConfig data;
};

/// All there is to say of a run: {"task": .., "model": {..}, "data": {..}, "train": {..}}; what model and data hold
/// depends on the task. Paths of data are as the program's working folder sees them.
struct RunConfig {
  Task task = Task::vision;
  VisionConfig vision;           ///< where task is vision
  LanguageConfig language;       ///< where task is language
  TimeSeriesConfig time_series;  ///< where task is time_series
  TrainConfig train;

  void visit(Fields& fields);
  /// That of the task's model.
  const nn::AttentionOptions& attention() const;

  /// Reads a file; overrides ("train.lr=0.1") go first. Throws Error naming the file and the key.
  static RunConfig read(const std::string& path, const Overrides& overrides = {});
  /// The complete configuration as the text of a JSON file; read() gives it back.
  std::string text() const;
};

}  // namespace ff::models
