#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ff/models/config.h"

namespace ff::models {

enum class OptimizerKind { adamw, adam, sparse_adam, sgd };
enum class ScheduleKind { cosine, constant, linear, cosine_restarts, inverse_sqrt, one_cycle, reduce_on_plateau };
enum class MetricGoal { automatic, min, max };
enum class NonFinitePolicy { stop, skip, back_off };

enum class DistillationKind { none, soft, hard };

/// What the random numbers of a run come from.
struct TrainSeeds {
  std::uint64_t init = 0, data = 0, dropout = 0;
};

/// How a model is trained.
struct TrainConfig {
  std::int64_t epochs = 1, steps = 0, batch_size = 32, accumulate = 1;
  OptimizerKind optimizer = OptimizerKind::adamw;
  double lr = 1e-3, weight_decay = 0.01;
  std::vector<double> betas{0.9, 0.999};
  double eps = 1e-8, momentum = 0;
  ScheduleKind schedule = ScheduleKind::cosine;
  std::int64_t warmup = 0, restart_every = 0, restart_growth = 1, plateau_patience = 10;
  double plateau_factor = 0.1;
  double min_lr = 0, clip_norm = 0, label_smoothing = 0, ema_decay = 0;
  NonFinitePolicy non_finite = NonFinitePolicy::stop;
  std::int64_t seed = 1, init_seed = -1, data_seed = -1, dropout_seed = -1, log_interval = 100, eval_interval = 0;
  std::string metric{};
  MetricGoal metric_goal = MetricGoal::automatic;
  std::int64_t patience = 0, keep_checkpoints = 2;
  double max_seconds = 0;
  std::string init_from{};
  bool tensorboard = false;
  DistillationKind distillation = DistillationKind::none;
  double distillation_alpha = 0.5, distillation_tau = 1;
  std::string teacher{};

  /// seed, or the one of each purpose where it is given.
  TrainSeeds seeds() const;
  /// Whether the figure called metric is to be high.
  bool high_is_better() const;

  void visit(Fields& fields);
};

}  // namespace ff::models
