#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "ff/autograd/ops/ops.h"
#include "ff/core/random.h"
#include "ff/models/checkpoint_folder.h"
#include "ff/models/trainer.h"
#include "ff/nn/nn.h"

/// What tests of the trainer share.
namespace ff::test {

using namespace ff::models;

// A line through noise: batch `step` of it depends on step alone.
class LineTask : public TrainingTask {
 public:
  LineTask() { line.add("unused", spare); }

  nn::Module& model() override { return line; }
  std::string_view items() const override { return "points"; }
  std::int64_t batches_per_epoch() const override { return 10; }
  void seek(std::int64_t step) override { step_ = step; }
  BatchLoss next_loss() override {
    Generator random(static_cast<std::uint64_t>(++step_));
    Tensor x = Tensor::empty({8, 3});
    fill_normal(x.data<float>(), 24, random.next(24));
    Tensor loss = mse_loss(line(x), sum(x, {1}, true)) + sum(dropout(x, 0.5)) * 0.0;
    if (step_ == poisoned) loss = loss * std::numeric_limits<double>::quiet_NaN();
    if (step_ == exploding) loss = loss + sqrt(sum(line.weight) * 0.0) * 1.0;  // the root's slope at 0
    return {loss, 8};
  }
  Figures evaluate(const std::function<bool()>& stopped) override {
    evaluated_in_training |= line.training();
    ++evaluations;
    if (stopped()) return {};
    if (!scripted.empty()) return {{"test_loss", scripted.at(static_cast<std::size_t>(evaluations) - 1)}};
    return {{"test_loss", mean(square(line.weight - 1.0)).item<double>()}};
  }

  nn::Linear line = seeded_line();
  nn::Identity spare;
  std::int64_t poisoned = 0, exploding = 0;  // the steps of a loss and a gradient that are not finite
  std::vector<double> scripted;              // what evaluations find, where it is not empty
  int evaluations = 0;
  bool evaluated_in_training = false;

 private:
  static nn::Linear seeded_line() {
    manual_seed(1);
    return {3, 1};
  }

  std::int64_t step_ = 0;
};

inline TrainConfig sgd(std::int64_t steps) {
  TrainConfig config;
  config.steps = steps;
  config.optimizer = OptimizerKind::sgd;
  config.lr = 0.1;
  config.weight_decay = 0;
  config.warmup = 5;
  config.log_interval = 4;
  return config;
}

// Keeps what it is told, and may stop the run.
class Watcher : public TrainObserver {
 public:
  void on_step(const TrainStep& step) override {
    steps.push_back(step);
    if (step.step == stop_after) stop = true;
  }
  void on_record(const nlohmann::ordered_json& record) override { records.push_back(record); }

  std::vector<TrainStep> steps;
  std::vector<nlohmann::ordered_json> records;
  std::int64_t stop_after = -1;
  std::atomic<bool> stop{false};
};

/// The newest checkpoint of a run.
inline Checkpoint newest(const RunFolder& run) {
  return CheckpointFolder(run.checkpoints()).load_newest().checkpoint.value();
}

}  // namespace ff::test
