#pragma once

#include <string>
#include <vector>

#include "ff/models/training_task.h"
#include "ff/models/vision/data.h"
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
  std::int64_t batches_per_epoch() const override { return stream_.batches_per_epoch(); }
  void seek(std::int64_t batch) override { stream_.seek(batch); }
  BatchLoss next_loss() override;
  /// Loss and accuracy; beyond five classes also the share of images whose class is among the five likeliest.
  Figures evaluate(const std::function<bool()>& stopped) override;
  /// Of files that could not be read and were skipped, if any were: "skipped_files", how many since the run was started
  /// or resumed, and "skipped", the first of them by name.
  void report(nlohmann::ordered_json& to) const override;
  double bytes_to_come() const override;
  /// The names of the classes, where they have such.
  void save_companions(const RunFolder& folder) const override;
  void check_companions(const RunFolder& folder) const override;
  /// What evaluate() goes through.
  std::shared_ptr<BatchSource> test_data() const { return test_; }

 private:
  Tensor loss_of(const Batch& batch);

  std::vector<std::string> classes_;  // their names; none where the data do not name them
  int workers_;
  std::shared_ptr<ImageBatches> train_, test_;  // train_: null in a task for evaluation
  BatchStream stream_;                          // of train_
  VisionTransformer model_;                     // after the data, which is checked first
  std::unique_ptr<VisionTransformer> teacher_;  // null where there is none
  TrainConfig config_;
};

}  // namespace ff::models
