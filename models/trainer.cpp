#include "ff/models/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "ff/autograd/anomaly.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/models/event_file.h"
#include "ff/models/metrics.h"
#include "ff/nn/clip.h"

namespace ff::models {
namespace {

constexpr const char* op = "train";
constexpr std::int64_t profile_warm_up = 3;   // steps
constexpr std::int64_t most_non_finite = 10;  // in a row: then the weights themselves must be lost

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// How many updates that many batches make, the last of them perhaps from batches of the next epoch.
std::int64_t updates(std::int64_t batches, const TrainConfig& config) {
  return (batches + config.accumulate - 1) / config.accumulate;
}

}  // namespace

// Not getrusage()'s figure, which on Linux begins at what the process that started this one held.
std::int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10) * 1024;
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

Trainer::Trainer(TrainingTask& task, const TrainConfig& config, const TrainerOptions& options)
    : task_(task),
      config_(config),
      options_(options),
      optimizer_(make_optimizer(task.model().parameters(), config)),
      steps_(config.steps > 0 ? config.steps : updates(config.epochs * task.batches_per_epoch(), config)),
      eval_interval_(config.eval_interval > 0 ? config.eval_interval : updates(task.batches_per_epoch(), config)) {
  check(steps_ > 0, op, "there is nothing to do: 0 steps");
  schedule_ = make_schedule(config, steps_);
  plateau_ = make_plateau(config);
  if (config.ema_decay > 0) average_.emplace(task.model().parameters(), config.ema_decay);
  if (options_.config.empty())
    options_.config = config_text([&](Fields& fields) { fields.section("train", config_, "how it is learnt"); });
}

Trainer::~Trainer() = default;

void Trainer::begin() {
  begun_ = saved_ = Clock::now();
  if (options_.folder != nullptr) {
    if (!log_) {
      log_ = std::make_unique<MetricsLog>(options_.folder->metrics());
      task_.save_companions(*options_.folder);
      unsaved_ = true;
    }
    options_.folder->clean();
    if (config_.tensorboard) events_ = std::make_unique<EventFile>(options_.folder->path(), state_.step);
  }
  task_.seek(state_.step * config_.accumulate);
  task_.model().train();
  const std::int64_t spare = steps_ - state_.step - options_.profile_steps;
  profile_begin_ = state_.step + std::clamp<std::int64_t>(spare, 0, profile_warm_up);
}

TrainResult Trainer::run() {
  begin();
  if (state_.step > 0 && evaluation_due() && !evaluated()) {  // was stopped just before
    evaluate();
    if (evaluated()) save();
  }
  while (!ended() && !stopped()) {
    profile(false);
    train_step();
    if (evaluation_due()) evaluate();
    if (evaluated() || seconds_since(saved_) >= options_.checkpoint_seconds) save();
  }
  profile(true);
  if (unsaved_) save();
  TrainResult result;
  result.finished = ended() && evaluated();
  result.early = result.finished && state_.step < steps_;
  result.steps = state_.step;
  result.seconds = state_.seconds;
  if (evaluated()) result.figures = figures_;
  return result;
}

bool Trainer::stopped() const {
  return (options_.stop != nullptr && options_.stop->load()) ||
         (config_.max_seconds > 0 && seconds_since(begun_) >= config_.max_seconds);
}

void Trainer::profile(bool last) {
  if (!profiler_ && !last && options_.profile_steps > 0 && state_.step == profile_begin_)
    profiler_ = std::make_unique<Profiler>();
  if (!profiler_ || !(last || state_.step == profile_begin_ + options_.profile_steps)) return;
  profiler_->stop();
  const std::string path = options_.folder != nullptr ? options_.folder->profile() : "";
  if (!path.empty()) profiler_->save_chrome_trace(path);
  if (options_.observer != nullptr) options_.observer->on_profile(*profiler_, state_.step - profile_begin_, path);
  profiler_.reset();
}

void Trainer::train_step() {
  const ProfileSpan whole("step");
  const auto begin = Clock::now();
  const double factor = schedule_(state_.step) * state_.non_finite.factor * (plateau_ ? plateau_->factor() : 1);
  const double lr = config_.lr * factor;
  // A forward pass may change running statistics: of an update that is left out nothing is to stay.
  NamedTensors buffers = config_.non_finite == NonFinitePolicy::stop ? NamedTensors{} : task_.model().buffers();
  for (auto& [name, buffer] : buffers) buffer = buffer.copy();
  std::optional<DetectAnomaly> watch;
  if (options_.detect_anomaly) watch.emplace();
  const auto [loss, items] = accumulate();
  watch.reset();
  if (!reached_) check_reached();
  const double longest = config_.clip_norm > 0 ? config_.clip_norm : std::numeric_limits<double>::infinity();
  const double norm = [&] {
    const ProfileSpan span("grad_norm");
    return nn::grad_norm(task_.model().parameters());
  }();
  unsaved_ = true;
  if (!std::isfinite(loss) || !std::isfinite(norm)) {
    leave_out(loss, norm, lr);
    const NamedTensors poisoned = task_.model().buffers();
    for (std::size_t i = 0; i < buffers.size(); ++i) poisoned[i].second.assign(buffers[i].second);
    return;
  }
  {
    const ProfileSpan span("optimizer");
    optimizer_->scale_lr(factor);
    optimizer_->step(nn::clip_factor(norm, longest));
    if (average_) average_->update();
  }
  ++state_.step;
  state_.non_finite.in_a_row = 0;

  const double seconds = seconds_since(begin);
  state_.seconds += seconds;
  TrainState::Window& window = state_.window;
  window = {window.loss + loss, window.seconds + seconds, window.steps + 1, window.items + items};
  const TrainStep done{
      .step = state_.step,
      .steps = steps_,
      .epoch = static_cast<double>(state_.step * config_.accumulate) / static_cast<double>(task_.batches_per_epoch()),
      .loss = loss,
      .lr = lr,
      .grad_norm = norm,
      .items = items,
      .step_seconds = seconds,
      .evaluation = std::min(steps_, (state_.step / eval_interval_ + 1) * eval_interval_),
      .seconds = state_.seconds};
  if (options_.observer != nullptr) options_.observer->on_step(done);
  if (state_.step % config_.log_interval == 0 || state_.step == steps_) log_step(done);
}

// The gradient of the mean loss of an update's batches; that loss, and how many items it is of.
Trainer::BatchTotal Trainer::accumulate() {
  BatchTotal total;
  {
    const ProfileSpan span("zero_grad");
    optimizer_->zero_grad();
  }
  for (std::int64_t i = 0; i < config_.accumulate; ++i) {
    const BatchLoss batch = [&] {
      const ProfileSpan span("forward");
      return task_.next_loss();
    }();
    const auto share = static_cast<double>(config_.accumulate);
    const ProfileSpan span("backward");
    (config_.accumulate == 1 ? batch.mean : batch.mean / share).backward();
    total = {total.loss + batch.mean.item<double>() / share, total.items + batch.items};
  }
  return total;
}

// Ends the run where it is to stop. Else the weights, the optimiser's state and the average of the weights stay as they
// are, and the batches are passed over.
void Trainer::leave_out(double loss, double grad_norm, double lr) {
  const std::int64_t step = state_.step + 1;
  const bool of_loss = !std::isfinite(loss);
  const std::string what =
      of_loss ? fmt::format("the loss is {} in step {} (learning rate {:.4g})", loss, step, lr)
              : fmt::format("the norm of the gradient is {} in step {} (loss {:.4g}, learning rate {:.4g})", grad_norm,
                            step, loss, lr);
  TrainState::NonFinite& so_far = state_.non_finite;
  nlohmann::ordered_json told{{"step", step}, {"non_finite", of_loss ? "loss" : "gradient"}, {"lr", lr}};
  if (config_.non_finite != NonFinitePolicy::stop) told["left_out"] = ++so_far.updates;
  record(told);
  check(config_.non_finite != NonFinitePolicy::stop, op, "{}; a smaller rate may help", what);
  ++so_far.in_a_row;
  if (config_.non_finite == NonFinitePolicy::back_off) so_far.factor /= 2;
  check(so_far.in_a_row < most_non_finite, op, "{}; {} updates in a row had to be left out", what, so_far.in_a_row);
  ++state_.step;
}

void Trainer::check_reached() {
  const auto missed = task_.model().parameters_without_grad();
  check(missed.empty(), op, "no gradient reached {}", fmt::join(missed, ", "));
  reached_ = true;
}

void Trainer::log_step(const TrainStep& step) {
  const TrainState::Window& window = state_.window;
  record({{"step", step.step},
          {"epoch", step.epoch},
          {"loss", window.loss / static_cast<double>(window.steps)},
          {"lr", step.lr},
          {"grad_norm", step.grad_norm},
          {"items_per_second", static_cast<double>(window.items) / window.seconds},
          {"seconds", step.seconds}});
  state_.window = {};
}

void Trainer::record(const nlohmann::ordered_json& values) {
  if (log_) log_->write(values);
  if (events_) events_->write(values);
  if (options_.observer != nullptr) options_.observer->on_record(values);
}

}  // namespace ff::models
