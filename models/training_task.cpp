#include "ff/models/training_task.h"

#include "ff/core/random.h"
#include "ff/models/language/task.h"
#include "ff/models/vision/task.h"

namespace ff::models {

namespace {

std::unique_ptr<TrainingTask> make_task(const RunConfig& config, const LoadListener& listener) {
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train);
  return std::make_unique<LanguageTask>(config.language, config.train, listener);
}

}  // namespace

std::unique_ptr<TrainingTask> make_training_task(const RunConfig& config, const LoadListener& listener) {
  const TrainSeeds seeds = config.train.seeds();
  RunConfig of_data = config;  // what a task itself needs a seed for is its data
  of_data.train.seed = static_cast<std::int64_t>(seeds.data);
  manual_seed(seeds.init);
  auto task = make_task(of_data, listener);
  // Initialisation takes numbers from the beginning of its stretch: however many, dropout's do not depend on it.
  default_generator().set_state({.seed = seeds.dropout, .offset = std::uint64_t{1} << 40});
  return task;
}

std::unique_ptr<TrainingTask> load_trained_task(const RunConfig& config, const RunFolder& folder,
                                                const LoadListener& listener) {
  if (config.task == Task::vision) return std::make_unique<VisionTask>(config.vision, config.train, folder);
  return std::make_unique<LanguageTask>(config.language, config.train, folder, listener);
}

}  // namespace ff::models
