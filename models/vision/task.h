#pragma once

#include "ff/models/data_loader.h"
#include "ff/models/training_task.h"
#include "ff/models/vision/model.h"

namespace ff::models {

/// Classification of images.
class VisionTask : public TrainingTask {
 public:
  /// See make_training_task().
  VisionTask(const VisionConfig& config, const TrainConfig& train);
  /// See load_trained_task().
  VisionTask(const VisionConfig& config, const TrainConfig& train, const RunFolder& folder);

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return "images"; }
  std::int64_t steps_per_epoch() const override;
  void seek(std::int64_t step) override;
  BatchLoss next_loss() override;
  Figures evaluate(const std::function<bool()>& stopped) override;
  /// What evaluate() goes through.
  const std::shared_ptr<BatchSource>& test_data() const { return test_; }

 private:
  std::shared_ptr<BatchSource> train_, test_;  // train_: null in a task for evaluation
  std::unique_ptr<DataLoader> loader_;
  VisionTransformer model_;  // after the data, which is checked first
  double label_smoothing_;
};

}  // namespace ff::models
