#include "ff/models/vision/task.h"

#include <nlohmann/json.hpp>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/models/classification.h"
#include "ff/models/vision/distillation.h"
#include "ff/models/vision/load_images.h"

namespace ff::models {
namespace {

using Classes = std::vector<std::string>;

std::shared_ptr<ImageBatches> train_batches(const VisionConfig& config, const TrainConfig& train,
                                            const Classes& classes) {
  return std::make_shared<ImageBatches>(load_images(config, ImagePart::train, classes), config,
                                        ImageBatches::Mode::training, train.batch_size,
                                        static_cast<std::uint64_t>(train.seed));
}

std::shared_ptr<ImageBatches> test_batches(const VisionConfig& config, const TrainConfig& train,
                                           const Classes& classes) {
  return std::make_shared<ImageBatches>(load_images(config, ImagePart::test, classes), config,
                                        ImageBatches::Mode::evaluation, train.batch_size, 0);
}

int workers_of(const VisionDataConfig& data) {
  return data.workers > 0 ? static_cast<int>(data.workers) : default_workers();
}

// The classes that the model of a run was trained with, in the order that it knows them in.
Classes trained_classes(const RunFolder& folder, const VisionDataConfig& data) {
  const Classes classes = load_classes(folder);
  return classes.empty() ? image_classes(data) : classes;
}

}  // namespace

VisionTask::VisionTask(const VisionConfig& config, const TrainConfig& train)
    : classes_(image_classes(config.data)),
      workers_(workers_of(config.data)),
      train_(train_batches(config, train, classes_)),
      test_(test_batches(config, train, classes_)),
      stream_(train_, workers_),
      model_(config.model),
      config_(train) {
  if (train.distillation != DistillationKind::none) teacher_ = load_teacher(train.teacher, config);
}

VisionTask::VisionTask(const VisionConfig& config, const TrainConfig& train, const RunFolder& folder)
    : classes_(trained_classes(folder, config.data)),
      workers_(workers_of(config.data)),
      test_(test_batches(config, train, classes_)),
      model_(config.model),
      config_(train) {
  model_.load_state_dict(load_safetensors(folder.model()));
}

BatchLoss VisionTask::next_loss() {
  const Batch batch = stream_.next();
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
  return classification_figures(test_, model_, stopped, workers_);
}

void VisionTask::report(nlohmann::ordered_json& to) const {
  constexpr std::size_t shown = 5;
  std::set<std::string> skipped = test_->images().unreadable();
  if (train_) skipped.merge(train_->images().unreadable());
  if (skipped.empty()) return;
  to["skipped_files"] = skipped.size();
  for (const auto& path : skipped)
    if (to["skipped"].size() < shown) to["skipped"].push_back(path);
}

double VisionTask::bytes_to_come() const {
  return test_->images().bytes_to_come() + (train_ ? train_->images().bytes_to_come() : 0);
}

void VisionTask::save_companions(const RunFolder& folder) const {
  if (!classes_.empty()) save_classes(folder, classes_);
}

void VisionTask::check_companions(const RunFolder& folder) const { check_classes(folder, classes_); }

}  // namespace ff::models
