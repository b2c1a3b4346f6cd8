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
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/safetensors.h"
#include "ff/core/random.h"
#include "ff/models/checkpoint.h"
#include "ff/models/metrics.h"
#include "ff/nn/clip.h"
#include "ff/optim/optim.h"

namespace ff::models {
namespace {

constexpr const char* op = "train";
using Clock = std::chrono::steady_clock;
constexpr std::int64_t profile_warm_up = 3;  // steps

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// How many updates that many batches make, the last of them perhaps from batches of the next epoch.
std::int64_t updates(std::int64_t batches, const TrainConfig& config) {
  return (batches + config.accumulate - 1) / config.accumulate;
}

}  // namespace

std::unique_ptr<optim::Optimizer> make_optimizer(const NamedTensors& parameters, const TrainConfig& config) {
  auto groups = optim::no_decay_groups(parameters, config.weight_decay, {"pos_embed", "cls_token", "dist_token", "R"});
  const std::array<double, 2> betas{config.betas.at(0), config.betas.at(1)};
  switch (config.optimizer) {
    case OptimizerKind::adam:
      return std::make_unique<optim::Adam>(std::move(groups),
                                           optim::AdamOptions{.lr = config.lr, .betas = betas, .eps = config.eps});
    case OptimizerKind::sparse_adam:
      return std::make_unique<optim::SparseAdam>(
          std::move(groups), optim::SparseAdamOptions{.lr = config.lr, .betas = betas, .eps = config.eps});
    case OptimizerKind::sgd:
      return std::make_unique<optim::SGD>(std::move(groups),
                                          optim::SGDOptions{.lr = config.lr, .momentum = config.momentum});
    case OptimizerKind::adamw:
      break;
  }
  return std::make_unique<optim::AdamW>(std::move(groups),
                                        optim::AdamWOptions{.lr = config.lr, .betas = betas, .eps = config.eps});
}

// A run cut short (for a quick look) starts as the long one does: its warm-up is not squeezed.
optim::Schedule make_schedule(const TrainConfig& config, std::int64_t steps) {
  if (config.schedule == ScheduleKind::constant) return optim::with_warmup(config.warmup, optim::constant());
  const std::int64_t rest = std::max<std::int64_t>(steps - config.warmup, 0);
  return optim::with_warmup(config.warmup, optim::cosine(rest, config.min_lr / config.lr));
}

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
      steps_(config.steps > 0 ? config.steps : updates(config.epochs * task.steps_per_epoch(), config)),
      eval_interval_(config.eval_interval > 0 ? config.eval_interval : updates(task.steps_per_epoch(), config)) {
  check(steps_ > 0, op, "there is nothing to do: 0 steps");
  schedule_ = make_schedule(config, steps_);
  if (config.ema_decay > 0) average_.emplace(task.model().parameters(), config.ema_decay);
}

Trainer::~Trainer() = default;

void Trainer::resume() {
  internal_check(options_.folder != nullptr, "a run without a folder was resumed");
  const Checkpoint checkpoint = load_checkpoint(options_.folder->checkpoint());
  check(checkpoint.step < steps_ || checkpoint.evaluated != checkpoint.step, op,
        "{}: there is nothing left to do: all {} steps are made", options_.folder->path(), checkpoint.step);
  task_.model().load_state_dict(checkpoint.model);
  optimizer_->load_state_dict(checkpoint.optimizer);
  if (average_) average_->load_state_dict(checkpoint.average);
  default_generator().set_state(checkpoint.generator);
  step_ = checkpoint.step;
  evaluated_ = checkpoint.evaluated;
  seconds_ = checkpoint.seconds;
  window_ = checkpoint.window;
  log_ = std::make_unique<MetricsLog>(options_.folder->metrics(), checkpoint.metrics_bytes);
}

TrainResult Trainer::run() {
  if (options_.folder != nullptr && !log_) {
    log_ = std::make_unique<MetricsLog>(options_.folder->metrics());
    task_.save_companions(*options_.folder);
  }
  task_.seek(step_ * config_.accumulate);
  task_.model().train();
  saved_ = Clock::now();
  if (step_ > 0 && evaluation_due() && evaluated_ != step_) {  // was stopped just before
    evaluate();
    save();
  }
  const std::int64_t spare = steps_ - step_ - options_.profile_steps;
  profile_begin_ = step_ + std::clamp<std::int64_t>(spare, 0, profile_warm_up);
  while (step_ < steps_ && !stopped()) {
    profile(false);
    train_step();
    if (evaluation_due()) evaluate();
    if (evaluated_ == step_ || seconds_since(saved_) >= options_.checkpoint_seconds) save();
  }
  profile(true);
  if (evaluated_ != step_) save();
  TrainResult result;
  result.finished = step_ == steps_ && evaluated_ == step_;
  result.steps = step_;
  result.seconds = seconds_;
  if (evaluated_ == step_) result.figures = figures_;
  if (options_.folder != nullptr) options_.folder->write_summary(summary());
  return result;
}

void Trainer::profile(bool last) {
  if (!profiler_ && !last && options_.profile_steps > 0 && step_ == profile_begin_)
    profiler_ = std::make_unique<Profiler>();
  if (!profiler_ || !(last || step_ == profile_begin_ + options_.profile_steps)) return;
  profiler_->stop();
  const std::string path = options_.folder != nullptr ? options_.folder->profile() : "";
  if (!path.empty()) profiler_->save_chrome_trace(path);
  if (options_.observer != nullptr) options_.observer->on_profile(*profiler_, step_ - profile_begin_, path);
  profiler_.reset();
}

void Trainer::train_step() {
  const ProfileSpan whole("step");
  const auto begin = Clock::now();
  const double lr = config_.lr * schedule_(step_);
  std::optional<DetectAnomaly> watch;
  if (options_.detect_anomaly) watch.emplace();
  const auto [loss, items] = accumulate(lr);
  watch.reset();
  if (!reached_) check_reached();
  const double longest = config_.clip_norm > 0 ? config_.clip_norm : std::numeric_limits<double>::infinity();
  const double norm = [&] {
    const ProfileSpan span("grad_norm");
    return nn::grad_norm(task_.model().parameters());
  }();
  check(std::isfinite(norm), op, "the norm of the gradient is {} in step {} (loss {:.4g}, learning rate {:.4g})", norm,
        step_ + 1, loss, lr);
  {
    const ProfileSpan span("optimizer");
    optimizer_->scale_lr(schedule_(step_));
    optimizer_->step(nn::clip_factor(norm, longest));
    if (average_) average_->update();
  }
  ++step_;

  const double seconds = seconds_since(begin);
  seconds_ += seconds;
  window_ = {window_.loss + loss, window_.seconds + seconds, window_.steps + 1, window_.items + items};
  const TrainStep done{
      .step = step_,
      .steps = steps_,
      .epoch = static_cast<double>(step_ * config_.accumulate) / static_cast<double>(task_.steps_per_epoch()),
      .loss = loss,
      .lr = lr,
      .grad_norm = norm,
      .items = items,
      .step_seconds = seconds,
      .seconds = seconds_};
  if (options_.observer != nullptr) options_.observer->on_step(done);
  if (step_ % config_.log_interval == 0 || step_ == steps_) log_step(done);
}

// The gradient of the mean loss of an update's batches; that loss, and how many items it is of. lr: for the error.
Trainer::BatchTotal Trainer::accumulate(double lr) {
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
    const double loss = batch.mean.item<double>();
    check(std::isfinite(loss), op, "the loss is {} in step {} (learning rate {:.4g}); a smaller rate may help", loss,
          step_ + 1, lr);
    const auto share = static_cast<double>(config_.accumulate);
    const ProfileSpan span("backward");
    (config_.accumulate == 1 ? batch.mean : batch.mean / share).backward();
    total = {total.loss + loss / share, total.items + batch.items};
  }
  return total;
}

void Trainer::check_reached() {
  const auto missed = task_.model().parameters_without_grad();
  check(missed.empty(), op, "no gradient reached {}", fmt::join(missed, ", "));
  reached_ = true;
}

void Trainer::log_step(const TrainStep& step) {
  record({{"step", step.step},
          {"epoch", step.epoch},
          {"loss", window_.loss / static_cast<double>(window_.steps)},
          {"lr", step.lr},
          {"grad_norm", step.grad_norm},
          {"items_per_second", static_cast<double>(window_.items) / window_.seconds},
          {"seconds", step.seconds}});
  window_ = {};
}

void Trainer::evaluate() {
  const ProfileSpan span("evaluate");
  if (options_.observer != nullptr) options_.observer->on_evaluation(step_);
  task_.model().eval();
  NoGrad no_grad;
  if (average_) average_->swap();
  const auto stop = [this] { return stopped(); };
  Figures figures = task_.evaluate(stop);
  std::optional<Figures> tested = Figures{};
  if (step_ == steps_ && !figures.empty()) tested = task_.test(stop);
  if (average_) average_->swap();
  task_.model().train();
  if (figures.empty() || !tested) return;
  figures.insert(figures.end(), tested->begin(), tested->end());
  figures_ = figures;
  evaluated_ = step_;
  nlohmann::ordered_json values{{"step", step_}};
  for (const auto& [name, value] : figures) values[name] = value;
  task_.report(values);
  record(values);
}

void Trainer::record(const nlohmann::ordered_json& values) {
  if (log_) log_->write(values);
  if (options_.observer != nullptr) options_.observer->on_record(values);
}

// The model first: a checkpoint is never ahead of it.
void Trainer::save() {
  if (options_.folder == nullptr) return;
  const ProfileSpan span("checkpoint");
  save_safetensors(options_.folder->model(), weights());
  save_checkpoint(options_.folder->checkpoint(),
                  Checkpoint{.step = step_,
                             .generator = default_generator().state(),
                             .evaluated = evaluated_,
                             .seconds = seconds_,
                             .metrics_bytes = log_->bytes(),
                             .window = window_,
                             .model = task_.model().state_dict(),
                             .optimizer = optimizer_->state_dict(),
                             .average = average_ ? average_->state_dict() : TensorMap{}});
  saved_ = Clock::now();
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
  if (evaluated_ == step_)
    for (const auto& [name, value] : figures_) values[name] = value;
  task_.report(values);
  values["parameters"] = task_.model().num_parameters();
  values["steps"] = step_;
  values["finished"] = step_ == steps_ && evaluated_ == step_;
  values["training_seconds"] = seconds_;
  values["peak_memory_bytes"] = peak_memory_bytes();
  return values;
}

}  // namespace ff::models
