#include "ff/models/trainer.h"

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

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

}  // namespace

std::unique_ptr<optim::Optimizer> make_optimizer(const NamedTensors& parameters, const TrainConfig& config) {
  auto groups = optim::no_decay_groups(parameters, config.weight_decay, {"pos_embed", "cls_token", "R"});
  const std::array<double, 2> betas{config.betas.at(0), config.betas.at(1)};
  switch (config.optimizer) {
    case OptimizerKind::adam:
      return std::make_unique<optim::Adam>(std::move(groups),
                                           optim::AdamOptions{.lr = config.lr, .betas = betas, .eps = config.eps});
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
      steps_(config.steps > 0 ? config.steps : config.epochs * task.steps_per_epoch()),
      eval_interval_(config.eval_interval > 0 ? config.eval_interval : task.steps_per_epoch()) {
  check(steps_ > 0, op, "there is nothing to do: 0 steps");
  schedule_ = make_schedule(config, steps_);
}

Trainer::~Trainer() = default;

void Trainer::resume() {
  internal_check(options_.folder != nullptr, "a run without a folder was resumed");
  const Checkpoint checkpoint = load_checkpoint(options_.folder->checkpoint());
  check(checkpoint.step < steps_ || checkpoint.evaluated != checkpoint.step, op,
        "{}: there is nothing left to do: all {} steps are made", options_.folder->path(), checkpoint.step);
  task_.model().load_state_dict(checkpoint.model);
  optimizer_->load_state_dict(checkpoint.optimizer);
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
  task_.seek(step_);
  task_.model().train();
  saved_ = Clock::now();
  if (step_ > 0 && evaluation_due() && evaluated_ != step_) {  // was stopped just before
    evaluate();
    save();
  }
  while (step_ < steps_ && !stopped()) {
    train_step();
    if (evaluation_due()) evaluate();
    if (evaluated_ == step_ || seconds_since(saved_) >= options_.checkpoint_seconds) save();
  }
  if (evaluated_ != step_) save();
  TrainResult result;
  result.finished = step_ == steps_ && evaluated_ == step_;
  result.steps = step_;
  result.seconds = seconds_;
  if (evaluated_ == step_) result.figures = figures_;
  if (options_.folder != nullptr) options_.folder->write_summary(summary());
  return result;
}

void Trainer::train_step() {
  const auto begin = Clock::now();
  const double lr = config_.lr * schedule_(step_);
  std::optional<DetectAnomaly> watch;
  if (options_.detect_anomaly) watch.emplace();
  const BatchLoss batch = task_.next_loss();
  const double loss = batch.mean.item<double>();
  check(std::isfinite(loss), op, "the loss is {} in step {} (learning rate {:.4g}); a smaller rate may help", loss,
        step_ + 1, lr);
  optimizer_->zero_grad();
  batch.mean.backward();
  watch.reset();
  if (!reached_) check_reached();
  const double longest = config_.clip_norm > 0 ? config_.clip_norm : std::numeric_limits<double>::infinity();
  const double norm = nn::grad_norm(task_.model().parameters());
  check(std::isfinite(norm), op, "the norm of the gradient is {} in step {} (loss {:.4g}, learning rate {:.4g})", norm,
        step_ + 1, loss, lr);
  optimizer_->scale_lr(schedule_(step_));
  optimizer_->step(nn::clip_factor(norm, longest));
  ++step_;

  const double seconds = seconds_since(begin);
  seconds_ += seconds;
  window_ = {window_.loss + loss, window_.seconds + seconds, window_.steps + 1, window_.items + batch.items};
  const TrainStep done{.step = step_,
                       .steps = steps_,
                       .epoch = static_cast<double>(step_) / static_cast<double>(task_.steps_per_epoch()),
                       .loss = loss,
                       .lr = lr,
                       .grad_norm = norm,
                       .items = batch.items,
                       .step_seconds = seconds,
                       .seconds = seconds_};
  if (options_.observer != nullptr) options_.observer->on_step(done);
  if (step_ % config_.log_interval == 0 || step_ == steps_) log_step(done);
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
  if (options_.observer != nullptr) options_.observer->on_evaluation(step_);
  task_.model().eval();
  NoGrad no_grad;
  const Figures figures = task_.evaluate([this] { return stopped(); });
  task_.model().train();
  if (figures.empty()) return;
  figures_ = figures;
  evaluated_ = step_;
  nlohmann::ordered_json values{{"step", step_}};
  for (const auto& [name, value] : figures) values[name] = value;
  record(values);
}

void Trainer::record(const nlohmann::ordered_json& values) {
  if (log_) log_->write(values);
  if (options_.observer != nullptr) options_.observer->on_record(values);
}

// The model first: a checkpoint is never ahead of it.
void Trainer::save() {
  if (options_.folder == nullptr) return;
  const TensorMap model = task_.model().state_dict();
  save_safetensors(options_.folder->model(), model);
  save_checkpoint(options_.folder->checkpoint(), Checkpoint{.step = step_,
                                                            .generator = default_generator().state(),
                                                            .evaluated = evaluated_,
                                                            .seconds = seconds_,
                                                            .metrics_bytes = log_->bytes(),
                                                            .window = window_,
                                                            .model = model,
                                                            .optimizer = optimizer_->state_dict()});
  saved_ = Clock::now();
}

nlohmann::ordered_json Trainer::summary() const {
  nlohmann::ordered_json values;
  if (evaluated_ == step_)
    for (const auto& [name, value] : figures_) values[name] = value;
  values["parameters"] = task_.model().num_parameters();
  values["steps"] = step_;
  values["finished"] = step_ == steps_ && evaluated_ == step_;
  values["training_seconds"] = seconds_;
  values["peak_memory_bytes"] = peak_memory_bytes();
  return values;
}

}  // namespace ff::models
