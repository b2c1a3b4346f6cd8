// Trainer: what it writes to the folder of a run, and goes on from.

#include <filesystem>

#include <nlohmann/json.hpp>

#include "ff/autograd/profiler.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/random.h"
#include "ff/models/checkpoint_folder.h"
#include "ff/models/config_difference.h"
#include "ff/models/metrics.h"
#include "ff/models/trainer.h"

namespace ff::models {
namespace {

constexpr const char* op = "train";

// Results do not depend on these.
const std::vector<std::string> free_settings{"train.max_seconds", "train.keep_checkpoints"};

}  // namespace

Resumed Trainer::resume() {
  internal_check(options_.folder != nullptr, "a run without a folder was resumed");
  const std::string& folder = options_.folder->path();
  auto [found, damaged] = CheckpointFolder(options_.folder->checkpoints()).load_newest();
  if (!found) return {};
  const Checkpoint& checkpoint = *found;
  std::vector<std::string> ignored = free_settings;
  if (checkpoint.state.best.step < 0)
    ignored.insert(ignored.end(), {"train.metric", "train.metric_goal"});  // no say yet
  const auto differences = config_differences(checkpoint.config, options_.config, ignored);
  check(differences.empty(), op,
        "{}: the run was begun with another configuration: {}; a new run can start from its weights (--init-from)",
        folder, fmt::join(differences, "; "));
  task_.check_companions(*options_.folder);
  task_.model().load_state_dict(checkpoint.model);
  optimizer_->load_state_dict(checkpoint.optimizer);
  if (average_) average_->load_state_dict(checkpoint.average);
  default_generator().set_state(checkpoint.generator);
  state_ = checkpoint.state;
  if (plateau_) plateau_->set_state(state_.plateau);
  check(!ended() || !evaluated(), op, "{}: there is nothing left to do: {}", folder,
        state_.step == steps_ ? fmt::format("all {} steps are made", steps_)
                              : fmt::format("train.patience was exhausted after {} steps", state_.step));
  log_ = std::make_unique<MetricsLog>(options_.folder->metrics(), checkpoint.metrics_bytes);
  return {.step = state_.step, .damaged = damaged};
}

Resumed Trainer::begin_or_resume() {
  internal_check(options_.folder != nullptr, "a run without a folder was begun");
  if (std::filesystem::exists(options_.folder->config())) return resume();
  made_ = options_.folder->create(options_.config, false);
  return {};
}

// The checkpoint last: it is never ahead of the rest, which it counts on.
void Trainer::save() {
  if (options_.folder == nullptr) return;
  const ProfileSpan span("checkpoint");
  const TensorMap state = weights();
  if (state_.best.step == state_.step) save_safetensors(options_.folder->best_model(), state);
  save_safetensors(options_.folder->model(), state);
  options_.folder->write_summary(summary());
  log_->flush();
  if (plateau_) state_.plateau = plateau_->state();
  CheckpointFolder(options_.folder->checkpoints())
      .save({.state = state_,
             .generator = default_generator().state(),
             .metrics_bytes = log_->bytes(),
             .config = options_.config,
             .model = task_.model().state_dict(),
             .optimizer = optimizer_->state_dict(),
             .average = average_ ? average_->state_dict() : TensorMap{}},
            config_.keep_checkpoints);
  saved_ = Clock::now();
  unsaved_ = false;
}

// What the run is for: the model's state, its parameters being the averages where there are any.
TensorMap Trainer::weights() const {
  TensorMap state = task_.model().state_dict();
  if (average_)
    for (const auto& [name, average] : average_->state_dict()) state.insert_or_assign(name, average);
  return state;
}

nlohmann::ordered_json Trainer::summary() const {
  nlohmann::ordered_json values;
  if (evaluated())
    for (const auto& [name, value] : figures_) values[name] = value;
  if (state_.best.step >= 0) {
    values["best_step"] = state_.best.step;
    values["best_" + (config_.metric.empty() ? "loss" : config_.metric)] = state_.best.figure;
  }
  task_.report(values);
  values["parameters"] = task_.model().num_parameters();
  values["steps"] = state_.step;
  if (state_.non_finite.updates > 0) values["left_out_updates"] = state_.non_finite.updates;
  values["finished"] = ended() && evaluated();
  if (ended() && state_.step < steps_) values["stopped_early"] = true;
  values["training_seconds"] = state_.seconds;
  values["peak_memory_bytes"] = peak_memory_bytes();
  return values;
}

}  // namespace ff::models
