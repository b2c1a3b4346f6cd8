#include "ff/models/vision/task.h"

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/classification.h"
#include "ff/models/vision/data.h"

namespace ff::models {
namespace {

std::shared_ptr<BatchSource> train_batches(const VisionConfig& config, const TrainConfig& train) {
  const VisionDataConfig& data = config.data;
  return std::make_shared<ImageBatches>(load_images(data.train_images, data.train_labels, config.model, data.limit),
                                        data, ImageBatches::Mode::training, train.batch_size,
                                        static_cast<std::uint64_t>(train.seed));
}

std::shared_ptr<BatchSource> test_batches(const VisionConfig& config, const TrainConfig& train) {
  const VisionDataConfig& data = config.data;
  return std::make_shared<ImageBatches>(load_images(data.test_images, data.test_labels, config.model, data.test_limit),
                                        data, ImageBatches::Mode::evaluation, train.batch_size, 0);
}

}  // namespace

VisionTask::VisionTask(const VisionConfig& config, const TrainConfig& train)
    : train_(train_batches(config, train)),
      test_(test_batches(config, train)),
      model_(config.model),
      label_smoothing_(train.label_smoothing) {}

VisionTask::VisionTask(const VisionConfig& config, const TrainConfig& train, const RunFolder& folder)
    : test_(test_batches(config, train)), model_(config.model), label_smoothing_(train.label_smoothing) {
  model_.load_state_dict(load_safetensors(folder.model()));
}

std::int64_t VisionTask::steps_per_epoch() const {
  internal_check(train_ != nullptr, "a task for evaluation was trained");
  return train_->batches_per_epoch();
}

void VisionTask::seek(std::int64_t step) {
  const DataPosition start{.epoch = step / steps_per_epoch(), .batch = step % steps_per_epoch()};
  loader_ = std::make_unique<DataLoader>(train_, DataLoaderOptions{.start = start});
}

BatchLoss VisionTask::next_loss() {
  if (!loader_) seek(0);
  const Batch batch = loader_->next().value();
  const Tensor logits = model_(batch.inputs);
  return {cross_entropy(logits, batch.targets, {.label_smoothing = label_smoothing_}), batch.count};
}

Figures VisionTask::evaluate(const std::function<bool()>& stopped) {
  return classification_figures(test_, model_, stopped);
}

}  // namespace ff::models
