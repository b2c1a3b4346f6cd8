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
#include "ff/models/make_optimizer.h"
#include "ff/models/run_folder.h"
#include "ff/models/train_config.h"
#include "ff/models/training_task.h"
#include "ff/optim/average.h"

namespace ff::models {

class EventFile;
class MetricsLog;

/// An update that was made.
struct TrainStep {
  std::int64_t step = 0, steps = 0;  ///< updates made so far, and to be made in all
  double epoch = 0;                  ///< passes over the training data so far
  double loss = 0, lr = 0;           ///< of this update
  double grad_norm = 0;              ///< before it was clipped
  std::int64_t items = 0;            ///< of its batches
  double step_seconds = 0;           ///< that it took
  std::int64_t evaluation = 0;       ///< updates made when the next evaluation is due
  double seconds = 0;                ///< spent on training so far, evaluation left out
};

/// Who wants to know how training goes.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  /// After every update, but for one that is left out (TrainConfig::non_finite): of that there is a record.
  virtual void on_step(const TrainStep&) {}
  /// Before an evaluation, which may take a while.
  virtual void on_evaluation(std::int64_t /*step*/) {}
  /// What goes into metrics.jsonl, as it does.
  virtual void on_record(const nlohmann::ordered_json&) {}
  /// After the steps of TrainerOptions::profile_steps: what they took. path: of the trace; empty if none was written.
  virtual void on_profile(const Profiler&, std::int64_t /*steps*/, const std::string& /*path*/) {}
};

struct TrainerOptions {
  const RunFolder* folder = nullptr;        ///< what to write results to; null: nowhere
  TrainObserver* observer = nullptr;        ///< may be null
  const std::atomic<bool>* stop = nullptr;  ///< set from elsewhere (a signal handler): finish the step, save, return
  bool detect_anomaly = false;              ///< name the op that computes the first NaN or infinity (DetectAnomaly)
  std::int64_t profile_steps = 0;           ///< steps to record, after a few to warm up; goes to RunFolder::profile()
  double checkpoint_seconds = 60;           ///< the longest time between two checkpoints, but for a step or evaluation
  std::string config{};                     ///< of the whole run, JSON; empty: {"train": ..}, the TrainConfig
};

/// What a run goes on from.
struct Resumed {
  std::int64_t step = 0;             ///< updates made; 0: no checkpoint was saved, the run begins at its beginning
  std::vector<std::string> damaged;  ///< newer checkpoints that are not whole, a line each: they were passed over
};

/// How a run ended.
struct TrainResult {
  bool finished = false;   ///< all steps were made, or TrainConfig::patience was exhausted; else it was stopped
  bool early = false;      ///< finished before all steps were made
  std::int64_t steps = 0;  ///< updates made
  double seconds = 0;      ///< spent on training, evaluation left out
  Figures figures;         ///< of the last evaluation, if it was at the end
};

/// Trains the model of a task: batches in order, their loss, backward, clipping, one update; evaluations in between, of
/// the average of the weights where the configuration asks for one. Checkpoints after evaluations and in between.
/// With the same configuration and seed the weights come out the same to the last bit, whatever the number of threads,
/// and also if the run is interrupted and resumed.
class Trainer {
 public:
  Trainer(TrainingTask& task, const TrainConfig& config, const TrainerOptions& options = {});
  ~Trainer();

  /// Goes on from the newest checkpoint of options.folder that is whole. Throws Error where the configuration is
  /// another, listing what differs, where all are damaged, or nothing is left to do.
  Resumed resume();
  /// resume() where options.folder has a run, else RunFolder::create().
  Resumed begin_or_resume();
  /// Trains to the end, or until stopped; then saves the model, a checkpoint and the summary. Throws Error where the
  /// loss or the gradient is not finite and the configuration says to stop then, where a parameter is not reached by
  /// the gradient, or a file cannot be written; the checkpoints saved before stay.
  TrainResult run();

  /// Updates to be made in all.
  std::int64_t steps() const { return steps_; }
  /// What is remembered of the updates so far, beside the weights.
  const optim::Optimizer& optimizer() const { return *optimizer_; }
  const std::optional<optim::Average>& average() const { return average_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct BatchTotal {
    double loss = 0;
    std::int64_t items = 0;
  };

  // trainer.cpp: the loop.
  void begin();
  void train_step();
  BatchTotal accumulate();
  void leave_out(double loss, double grad_norm, double lr);
  // Begins or ends the recording of steps, where it is time to.
  void profile(bool last);
  void check_reached();
  void log_step(const TrainStep& step);
  void record(const nlohmann::ordered_json& record);
  bool evaluated() const { return state_.evaluated == state_.step; }
  bool evaluation_due() const { return state_.step == steps_ || state_.step % eval_interval_ == 0; }
  bool stopped() const;

  // trainer_evaluation.cpp
  void evaluate();
  // Whether training ends with the evaluation that has made the best this.
  bool last_evaluation(const TrainState::Best& best) const;
  bool ended() const { return last_evaluation(state_.best); }

  // trainer_files.cpp
  void save();
  nlohmann::ordered_json summary() const;
  TensorMap weights() const;

  TrainingTask& task_;
  TrainConfig config_;
  TrainerOptions options_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::Schedule schedule_;
  std::optional<optim::Average> average_;
  std::unique_ptr<MetricsLog> log_;
  std::optional<optim::ReduceOnPlateau> plateau_;
  std::unique_ptr<NewRun> made_;
  std::unique_ptr<EventFile> events_;
  std::int64_t steps_ = 0, eval_interval_ = 0;

  TrainState state_;
  Figures figures_;                      // of the last evaluation
  Clock::time_point begun_{}, saved_{};  // when run() began, and when the last checkpoint was
  bool unsaved_ = false;                 // something has happened since

  std::unique_ptr<Profiler> profiler_;
  std::int64_t profile_begin_ = 0;  // the step that it was or will be made at

  bool reached_ = false;  // every parameter was found to get a gradient
};

/// The most memory that this process has held, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace ff::models
