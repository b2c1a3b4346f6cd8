#pragma once

#include "ff/models/data_loader.h"
#include "ff/models/time_series/model.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// Classification of series of measurements.
class TimeSeriesTask : public TrainingTask {
 public:
  /// See make_training_task(). The model standardises by the statistics of the training data, and keeps them.
  TimeSeriesTask(const TimeSeriesConfig& config, const TrainConfig& train);
  /// See load_trained_task().
  TimeSeriesTask(const TimeSeriesConfig& config, const TrainConfig& train, const RunFolder& folder);

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return "series"; }
  std::int64_t batches_per_epoch() const override { return train_.batches_per_epoch(); }
  void seek(std::int64_t batch) override { train_.seek(batch); }
  BatchLoss next_loss() override;
  Figures evaluate(const std::function<bool()>& stopped) override;
  /// The names of the classes.
  void save_companions(const RunFolder& folder) const override;
  void check_companions(const RunFolder& folder) const override;

 private:
  std::vector<std::string> classes_;
  BatchStream train_;
  std::shared_ptr<BatchSource> test_;
  TimeSeriesTransformer model_;
  double label_smoothing_;
};

}  // namespace ff::models
