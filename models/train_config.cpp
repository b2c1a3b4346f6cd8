#include "ff/models/train_config.h"

#include <fmt/format.h>

namespace ff::models {

void TrainConfig::visit(Fields& f) {
  f.integer("epochs", epochs, {.min = 0}, "times that the training data is gone through, unless steps says otherwise");
  f.integer("steps", steps, {.min = 0}, "updates to make, whatever epochs says; 0: as many as the epochs take");
  f.integer("batch_size", batch_size, {.min = 1}, "samples that go through the model together");
  f.integer("accumulate", accumulate, {.min = 1},
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
  f.choice<ScheduleKind>("schedule", schedule, {{"cosine", ScheduleKind::cosine}, {"constant", ScheduleKind::constant}},
                         "how lr goes after the warm-up: down to min_lr along half a cosine, or not at all");
  f.integer("warmup", warmup, {.min = 0}, "updates in which lr rises from 0");
  f.number("min_lr", min_lr, {.min = 0}, "learning rate at the end; cosine alone");
  f.number("clip_norm", clip_norm, {.min = 0}, "longest gradient, over all parameters; 0: any");
  f.number("label_smoothing", label_smoothing, {.min = 0, .below = 1}, "share of the target spread over all classes");
  f.number(
      "ema_decay", ema_decay, {.min = 0, .below = 1},
      "decay, each update, of a running average of the weights, which is then what is evaluated and saved; 0: none");
  f.integer("seed", seed, {.min = 0}, "what all random numbers depend on");
  f.integer("log_interval", log_interval, {.min = 1}, "updates between two lines of the log");
  f.integer("eval_interval", eval_interval, {.min = 0}, "updates between two evaluations; 0: one after every epoch");
  f.text("init_from", init_from,
         "weights to start from, a safetensors file or the folder of a run, for fine-tuning; empty: random ones");
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
  f.require((distillation != DistillationKind::none) == !teacher.empty(), "teacher",
            distillation != DistillationKind::none ? "distillation needs one: the folder of a run"
                                                   : "it teaches nothing while distillation is \"none\"");
  f.require(min_lr <= lr, "min_lr", fmt::format("{} is above lr {}", min_lr, lr));
}

}  // namespace ff::models
