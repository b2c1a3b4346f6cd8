#include "ff/models/training_task.h"

#include "ff/core/random.h"
#include "ff/models/language/task.h"
#include "ff/models/vision/task.h"

namespace ff::models {

std::unique_ptr<TrainingTask> make_training_task(const RunConfig& config, const LoadListener& listener) {
  manual_seed(static_cast<std::uint64_t>(config.train.seed));
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train);
  return std::make_unique<LanguageTask>(config.language, config.train, listener);
}

std::unique_ptr<TrainingTask> load_trained_task(const RunConfig& config, const RunFolder& folder,
                                                const LoadListener& listener) {
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train, folder);
  return std::make_unique<LanguageTask>(config.language, config.train, folder, listener);
}

}  // namespace ff::models
