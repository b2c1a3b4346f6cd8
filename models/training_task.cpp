#include "ff/models/training_task.h"

#include "ff/core/random.h"
#include "ff/models/language/task.h"
#include "ff/models/time_series/task.h"
#include "ff/models/vision/task.h"

namespace ff::models {

std::unique_ptr<TrainingTask> make_training_task(const RunConfig& config) {
  manual_seed(static_cast<std::uint64_t>(config.train.seed));
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train);
  if (config.task == Task::time_series) return std::make_unique<TimeSeriesTask>(config.time_series, config.train);
  return std::make_unique<LanguageTask>(config.language, config.train);
}

std::unique_ptr<TrainingTask> load_trained_task(const RunConfig& config, const RunFolder& folder) {
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train, folder);
  if (config.task == Task::time_series)
    return std::make_unique<TimeSeriesTask>(config.time_series, config.train, folder);
  return std::make_unique<LanguageTask>(config.language, config.train, folder);
}

}  // namespace ff::models
