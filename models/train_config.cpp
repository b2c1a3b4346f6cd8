#include "ff/models/train_config.h"

#include <fmt/format.h>

namespace ff::models {
namespace {

// What a run counts must fit into 64 bits.
constexpr std::int64_t most_updates = std::int64_t{1} << 40, most_batch = 1 << 30, most_factor = 1 << 20;

}  // namespace

void TrainConfig::visit(Fields& f) {
  f.integer("epochs", epochs, {.min = 0, .max = most_factor},
            "times that the training data is gone through, unless steps says otherwise");
  f.integer("steps", steps, {.min = 0, .max = most_updates},
            "updates to make, whatever epochs says; 0: as many as the epochs take");
  f.integer("batch_size", batch_size, {.min = 1, .max = most_batch}, "samples that go through the model together");
  f.integer("accumulate", accumulate, {.min = 1, .max = most_factor},
            "batches of an update, whose gradients are averaged: as large a batch as needed in little memory");
  f.choice<OptimizerKind>("optimizer", optimizer,
                          {{"adamw", OptimizerKind::adamw},
                           {"adam", OptimizerKind::adam},
                           {"sparse_adam", OptimizerKind::sparse_adam},
                           {"sgd", OptimizerKind::sgd}},
                          "what turns gradients into updates; sparse_adam leaves rows without a gradient as they are");
  f.number("lr", lr, {.above = 0}, "learning rate, at its highest");
  f.number("weight_decay", weight_decay, {.min = 0},
           "share of lr by which weights shrink; adamw, or added to the gradient");
  f.numbers("betas", betas, {.min = 0, .below = 1}, 2, 2,
            "decay of the mean of the gradient and of its square; adamw, adam, sparse_adam");
  f.number("eps", eps, {.above = 0}, "added to the root of the mean square; adamw, adam, sparse_adam");
  f.number("momentum", momentum, {.min = 0, .below = 1}, "sgd alone");
  f.choice<ScheduleKind>("schedule", schedule,
                         {{"cosine", ScheduleKind::cosine},
                          {"constant", ScheduleKind::constant},
                          {"linear", ScheduleKind::linear},
                          {"cosine_restarts", ScheduleKind::cosine_restarts},
                          {"inverse_sqrt", ScheduleKind::inverse_sqrt},
                          {"one_cycle", ScheduleKind::one_cycle},
                          {"reduce_on_plateau", ScheduleKind::reduce_on_plateau}},
                         "how lr goes after the warm-up; reduce_on_plateau goes by metric, the others by the step");
  f.integer("warmup", warmup, {.min = 0, .max = most_updates},
            "updates in which lr rises from 0; one_cycle: from a 25th of it, and 0 means three tenths of all");
  f.number("min_lr", min_lr, {.min = 0}, "learning rate at the end, or the least; not constant, not inverse_sqrt");
  f.integer("restart_every", restart_every, {.min = 0}, "updates of the first cosine; cosine_restarts alone");
  f.integer("restart_growth", restart_growth, {.min = 1, .max = most_factor},
            "times as many updates each cosine takes as the one before; cosine_restarts alone");
  f.number("plateau_factor", plateau_factor, {.above = 0, .below = 1},
           "what lr is multiplied by where metric has stopped to improve; reduce_on_plateau alone");
  f.integer("plateau_patience", plateau_patience, {.min = 0},
            "evaluations without improvement before that; reduce_on_plateau alone");
  f.number("clip_norm", clip_norm, {.min = 0}, "longest gradient, over all parameters; 0: any");
  f.number("label_smoothing", label_smoothing, {.min = 0, .below = 1}, "share of the target spread over all classes");
  f.number(
      "ema_decay", ema_decay, {.min = 0, .below = 1},
      "decay, each update, of a running average of the weights, which is then what is evaluated and saved; 0: none");
  f.choice<NonFinitePolicy>(
      "non_finite", non_finite,
      {{"stop", NonFinitePolicy::stop}, {"skip", NonFinitePolicy::skip}, {"back_off", NonFinitePolicy::back_off}},
      "what to do where a loss or gradient is not finite: end the run, leave the update out, or "
      "leave it out and halve lr from then on");
  f.integer("seed", seed, {.min = 0}, "what all random numbers depend on");
  f.integer("init_seed", init_seed, {.min = -1}, "what the initial weights depend on; -1: seed");
  f.integer("data_seed", data_seed, {.min = -1}, "what the order and augmentation of the data depend on; -1: seed");
  f.integer("dropout_seed", dropout_seed, {.min = -1}, "what dropout depends on; -1: seed");
  f.integer("log_interval", log_interval, {.min = 1}, "updates between two lines of the log");
  f.integer("eval_interval", eval_interval, {.min = 0}, "updates between two evaluations; 0: one after every epoch");
  f.text("metric", metric,
         "figure of an evaluation that the best model is told by, such as test_accuracy; empty: the first, a loss");
  f.choice<MetricGoal>("metric_goal", metric_goal,
                       {{"auto", MetricGoal::automatic}, {"min", MetricGoal::min}, {"max", MetricGoal::max}},
                       "whether it is to be low or high; auto: high where its name ends in accuracy");
  f.integer("patience", patience, {.min = 0},
            "evaluations in a row that are no better than the best before training ends; 0: any number");
  f.integer("keep_checkpoints", keep_checkpoints, {.min = 1}, "newest checkpoints that are kept, beside the best");
  f.number("max_seconds", max_seconds, {.min = 0},
           "longest time from start or resumption to a stop with a checkpoint, but for a step; 0: any");
  f.text("init_from", init_from,
         "weights to start from, a safetensors file or the folder of a run, for fine-tuning; empty: random ones");
  f.flag("tensorboard", tensorboard, "write what is measured for TensorBoard as well, events.out.tfevents.*");
  f.choice<DistillationKind>(
      "distillation", distillation,
      {{"none", DistillationKind::none}, {"soft", DistillationKind::soft}, {"hard", DistillationKind::hard}},
      "whether a teacher's answers are learnt from, too: its probabilities (soft) or its choice of a class (hard); "
      "vision alone");
  f.number("distillation_alpha", distillation_alpha, {.min = 0, .max = 1}, "share of the teacher's loss");
  f.number("distillation_tau", distillation_tau, {.above = 0}, "temperature that softens probabilities; soft alone");
  f.text("teacher", teacher, "folder of the run that teaches");

  f.require(epochs > 0 || steps > 0, "epochs", "0, and so is steps: one of them must say how long to train");
  f.require(optimizer != OptimizerKind::sparse_adam || weight_decay == 0, "weight_decay",
            "sparse_adam has none: it must be 0");
  f.require(schedule != ScheduleKind::cosine_restarts || restart_every > 0, "restart_every",
            "schedule cosine_restarts needs it: the updates of the first cosine");
  f.require((distillation != DistillationKind::none) == !teacher.empty(), "teacher",
            distillation != DistillationKind::none ? "distillation needs one: the folder of a run"
                                                   : "it teaches nothing while distillation is \"none\"");
  f.require(min_lr <= lr, "min_lr", fmt::format("{} is above lr {}", min_lr, lr));
}

bool TrainConfig::high_is_better() const {
  return metric_goal == MetricGoal::max || (metric_goal == MetricGoal::automatic && metric.ends_with("accuracy"));
}

TrainSeeds TrainConfig::seeds() const {
  auto own = [this](std::int64_t purpose) { return static_cast<std::uint64_t>(purpose >= 0 ? purpose : seed); };
  return {.init = own(init_seed), .data = own(data_seed), .dropout = own(dropout_seed)};
}

}  // namespace ff::models
