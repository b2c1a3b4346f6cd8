#include "ff/models/vision/task.h"

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/vision/data.h"
#include "ff/models/vision/distillation.h"

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
    : train_(train_batches(config, train)), test_(test_batches(config, train)), model_(config.model), config_(train) {
  if (train.distillation != DistillationKind::none) teacher_ = load_teacher(train.teacher, config);
}

VisionTask::VisionTask(const VisionConfig& config, const TrainConfig& train, const RunFolder& folder)
    : test_(test_batches(config, train)), model_(config.model), config_(train) {
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
  return {loss_of(batch), batch.count};
}

// A teacher teaches the head that is made for it, where there is one.
Tensor VisionTask::loss_of(const Batch& batch) {
  const CrossEntropyOptions smoothed{.label_smoothing = config_.label_smoothing};
  if (!teacher_) return cross_entropy(model_(batch.inputs), batch.targets, smoothed);
  const Tensor taught = [&] {
    const NoGrad no_grad;
    return (*teacher_)(batch.inputs);
  }();
  const VisionLogits logits = model_.logits(batch.inputs);
  const Tensor& pupil = logits.head_dist.defined() ? logits.head_dist : logits.head;
  const Tensor own = cross_entropy(logits.head, batch.targets, smoothed),
               from_teacher = distillation_loss(pupil, taught, config_.distillation, config_.distillation_tau);
  return own * (1 - config_.distillation_alpha) + from_teacher * config_.distillation_alpha;
}

Figures VisionTask::evaluate(const std::function<bool()>& stopped) {
  DataLoader loader(test_, {.end_epoch = 1});
  double loss = 0;
  std::int64_t right = 0, among_five = 0, count = 0;
  const bool many = model_.config().classes > 5;
  while (const auto batch = loader.next()) {
    if (stopped()) return {};
    const Tensor logits = model_(batch->inputs);
    loss += cross_entropy(logits, batch->targets, {.reduction = Loss::sum}).item<double>();
    right += sum(eq(argmax(logits, 1), batch->targets)).item<std::int64_t>();
    if (many) among_five += sum(eq(topk(logits, 5).indices, unsqueeze(batch->targets, 1))).item<std::int64_t>();
    count += batch->count;
  }
  const auto share = [&](auto of) { return static_cast<double>(of) / static_cast<double>(count); };
  Figures figures{{"test_loss", share(loss)}, {"test_accuracy", share(right)}};
  if (many) figures.emplace_back("test_top5_accuracy", share(among_five));
  return figures;
}

}  // namespace ff::models
