#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "ff/autograd/profiler.h"
#include "ff/models/checkpoint.h"
#include "ff/models/run_folder.h"
#include "ff/models/train_config.h"
#include "ff/models/training_task.h"
#include "ff/optim/average.h"
#include "ff/optim/optimizer.h"
#include "ff/optim/schedule.h"

namespace ff::models {

class MetricsLog;

/// An update that was made.
struct TrainStep {
  std::int64_t step = 0, steps = 0;  ///< updates made so far, and to be made in all
  double epoch = 0;                  ///< passes over the training data so far
  double loss = 0, lr = 0;           ///< of this update
  double grad_norm = 0;              ///< before it was clipped
  std::int64_t items = 0;            ///< of its batches
  double step_seconds = 0;           ///< that it took
  double seconds = 0;                ///< spent on training so far, evaluation left out
};

/// Who wants to know how training goes.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  /// After every update.
  virtual void on_step(const TrainStep&) {}
  /// Before an evaluation, which may take a while.
  virtual void on_evaluation(std::int64_t /*step*/) {}
  /// What goes into metrics.jsonl, as it does.
  virtual void on_record(const nlohmann::ordered_json&) {}
  /// After the steps of TrainerOptions::profile_steps: what they took. path: of the trace; empty if none was written.
  virtual void on_profile(const Profiler&, std::int64_t /*steps*/, const std::string& /*path*/) {}
};

struct TrainerOptions {
  const RunFolder* folder = nullptr;        ///< what to write results to, made by RunFolder::create(); null: nowhere
  TrainObserver* observer = nullptr;        ///< may be null
  const std::atomic<bool>* stop = nullptr;  ///< set from elsewhere (a signal handler): finish the step, save, return
  bool detect_anomaly = false;              ///< name the op that computes the first NaN or infinity (DetectAnomaly)
  std::int64_t profile_steps = 0;           ///< steps to record, after a few to warm up; goes to RunFolder::profile()
  double checkpoint_seconds = 60;           ///< the longest time between two checkpoints, but for a step or evaluation
};

/// How a run ended.
struct TrainResult {
  bool finished = false;   ///< all steps were made; else it was stopped
  std::int64_t steps = 0;  ///< updates made
  double seconds = 0;      ///< spent on training, evaluation left out
  Figures figures;         ///< of the last evaluation, if it was at the end
};

/// Trains the model of a task: batches in order, their loss, backward, clipping, one update; evaluations in between, of
/// the average of the weights where the configuration asks for one.
/// With the same configuration and seed the weights come out the same to the last bit, whatever the number of threads,
/// and also if the run is interrupted and resumed.
class Trainer {
 public:
  Trainer(TrainingTask& task, const TrainConfig& config, const TrainerOptions& options = {});
  ~Trainer();

  /// Goes on from the checkpoint of options.folder, which must be one of this task and configuration. Throws Error
  /// where there is none, or all its steps are made.
  void resume();
  /// Trains to the end, or until stopped; then saves the model, a checkpoint and the summary. Throws Error where the
  /// loss or the gradient is not finite, where a parameter is not reached by the gradient, or a file cannot be written;
  /// the files of the last checkpoint stay.
  TrainResult run();

  /// Updates to be made in all.
  std::int64_t steps() const { return steps_; }

 private:
  struct BatchTotal {
    double loss = 0;
    std::int64_t items = 0;
  };

  void train_step();
  BatchTotal accumulate(double lr);
  // Begins or ends the recording of steps, where it is time to.
  void profile(bool last);
  void check_reached();
  void log_step(const TrainStep& step);
  void evaluate();
  bool evaluation_due() const { return step_ == steps_ || step_ % eval_interval_ == 0; }
  void save();
  void record(const nlohmann::ordered_json& record);
  nlohmann::ordered_json summary() const;
  TensorMap weights() const;
  bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  TrainingTask& task_;
  TrainConfig config_;
  TrainerOptions options_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::Schedule schedule_;
  std::optional<optim::Average> average_;
  std::unique_ptr<MetricsLog> log_;
  std::int64_t steps_ = 0, eval_interval_ = 0;

  std::int64_t step_ = 0;                        // updates made
  double seconds_ = 0;                           // spent on training
  std::chrono::steady_clock::time_point saved_;  // when the last checkpoint was
  Figures figures_;                              // of the last evaluation
  std::int64_t evaluated_ = -1;                  // the step it was made at

  Checkpoint::Window window_;  // since the last line of the log
  std::unique_ptr<Profiler> profiler_;
  std::int64_t profile_begin_ = 0;  // the step that it was or will be made at

  bool reached_ = false;  // every parameter was found to get a gradient
};

/// The optimiser that config describes. Matrices decay, biases, norms, radii, positions and the tokens of class and
/// distillation do not.
std::unique_ptr<optim::Optimizer> make_optimizer(const NamedTensors& parameters, const TrainConfig& config);

/// The factor of config.lr by step, for a run of that many.
optim::Schedule make_schedule(const TrainConfig& config, std::int64_t steps);

/// The most memory that this process has held, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace ff::models
