#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ff/models/load_listener.h"
#include "ff/models/run_config.h"
#include "ff/models/run_folder.h"
#include "ff/nn/module.h"

namespace ff::models {

/// Figures by the names that they have in summary.json, the loss first: "test_loss", "test_accuracy", ...
using Figures = std::vector<std::pair<std::string, double>>;

/// The loss of a batch.
struct BatchLoss {
  Tensor mean;             ///< scalar, differentiable
  std::int64_t items = 0;  ///< how many images or tokens it is the mean of
};

/// What a Trainer works on: a model, and the data it learns from and is tested on.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  virtual nn::Module& model() = 0;
  /// What is learnt from, in the plural: "images", "tokens".
  virtual std::string_view items() const = 0;
  /// Batches that one pass over the training data takes: as many updates, unless several batches make one.
  virtual std::int64_t batches_per_epoch() const = 0;
  /// Has next_loss() go on with that batch, counted from 0 over all epochs. Which samples a batch has depends on the
  /// seed and its number alone.
  virtual void seek(std::int64_t batch) = 0;
  /// The loss of the next training batch.
  virtual BatchLoss next_loss() = 0;
  /// Figures of the held-out data, for a model in evaluation mode; none if stopped() became true on the way.
  virtual Figures evaluate(const std::function<bool()>& stopped) = 0;
  /// Figures of test data that is looked at once, when all steps are made, beside evaluate()'s; empty where there is
  /// none such. None if stopped() became true on the way.
  virtual std::optional<Figures> test(const std::function<bool()>& /*stopped*/) { return Figures{}; }
  /// Adds what else there is to say of a run to its summary and to the log's lines of evaluations, such as files that
  /// were skipped.
  virtual void report(nlohmann::ordered_json& /*to*/) const {}
  /// Bytes of memory that the data will take beside what they take now, judged by what was used of them so far: files
  /// that are held in memory once they are read.
  virtual double bytes_to_come() const { return 0; }
  /// Writes what the model is of no use without, besides its weights: a vocabulary.
  virtual void save_companions(const RunFolder& /*folder*/) const {}
  /// Throws Error where what a run wrote so when it began does not fit the data, which have changed since.
  virtual void check_companions(const RunFolder& /*folder*/) const {}
};

/// The task that config describes, its data read and checked, its model initialised; initial weights, data and dropout
/// go by config.train.seeds(). default_generator() is then at the beginning of dropout's numbers. Throws Error where
/// the data cannot be read or does not fit the model. listener hears how the reading goes.
std::unique_ptr<TrainingTask> make_training_task(const RunConfig& config, const LoadListener& listener = {});

/// The task with the model that was trained in folder, for evaluation. config may name other data than it was trained
/// with, but no other model.
std::unique_ptr<TrainingTask> load_trained_task(const RunConfig& config, const RunFolder& folder,
                                                const LoadListener& listener = {});

}  // namespace ff::models
