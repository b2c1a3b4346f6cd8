#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ff/models/data_loader.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// What is measured of a batch, from the model's outputs and the targets: a scalar, the mean over the batch.
using Measure = std::function<Tensor(const Tensor& outputs, const Tensor& targets)>;

/// The share of logits (B, classes) that are highest at their target, i64 (B).
Tensor accuracy(const Tensor& logits, const Tensor& targets);

/// Classification, unless told otherwise.
struct ModuleTaskOptions {
  Measure loss{};                                       ///< what is learnt; none: cross_entropy()
  std::vector<std::pair<std::string, Measure>> also{};  ///< measured beside test_loss: {{"test_accuracy", accuracy}}
  std::string items = "samples";                        ///< what is learnt from, in the plural
};

/// A TrainingTask made of its parts, for a network of one's own:
///
///     using namespace ff::models;
///     ModuleTask task(net, train_batches, test_batches, {.also = {{"test_accuracy", accuracy}}});
class ModuleTask : public TrainingTask {
 public:
  /// model turns a batch's inputs into outputs, and must outlive the task.
  ModuleTask(nn::Module& model, std::shared_ptr<BatchSource> train, std::shared_ptr<BatchSource> test,
             ModuleTaskOptions options = {});

  nn::Module& model() override { return model_; }
  std::string_view items() const override { return options_.items; }
  std::int64_t batches_per_epoch() const override { return train_.batches_per_epoch(); }
  void seek(std::int64_t batch) override { train_.seek(batch); }
  BatchLoss next_loss() override;
  Figures evaluate(const std::function<bool()>& stopped) override;

 private:
  nn::Module& model_;
  BatchStream train_;
  std::shared_ptr<BatchSource> test_;
  ModuleTaskOptions options_;
};

}  // namespace ff::models
