#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ff/models/config.h"

namespace ff::models {

enum class OptimizerKind { adamw, adam, sparse_adam, sgd };
enum class ScheduleKind { cosine, constant };
enum class DistillationKind { none, soft, hard };

/// How a model is trained.
struct TrainConfig {
  std::int64_t epochs = 1, steps = 0, batch_size = 32, accumulate = 1;
  OptimizerKind optimizer = OptimizerKind::adamw;
  double lr = 1e-3, weight_decay = 0.01;
  std::vector<double> betas{0.9, 0.999};
  double eps = 1e-8, momentum = 0;
  ScheduleKind schedule = ScheduleKind::cosine;
  std::int64_t warmup = 0;
  double min_lr = 0, clip_norm = 0, label_smoothing = 0, ema_decay = 0;
  std::int64_t seed = 1, log_interval = 100, eval_interval = 0;

  std::string init_from;

  DistillationKind distillation = DistillationKind::none;
  double distillation_alpha = 0.5, distillation_tau = 1;
  std::string teacher;

  void visit(Fields& fields);
};

}  // namespace ff::models
