#include "ff/models/make_optimizer.h"

#include <algorithm>
#include <cmath>

#include "ff/optim/optim.h"

namespace ff::models {
namespace {

double least_factor(const TrainConfig& config) { return config.min_lr / config.lr; }

// Its warm-up is its own.
optim::Schedule one_cycle(const TrainConfig& config, std::int64_t steps) {
  const auto usual = static_cast<std::int64_t>(std::llround(0.3 * static_cast<double>(steps)));
  const std::int64_t rise = std::max<std::int64_t>(config.warmup > 0 ? config.warmup : usual, 2);
  return optim::one_cycle(std::max(steps, rise + 1), rise, 1.0 / 25, least_factor(config));
}

}  // namespace

std::unique_ptr<optim::Optimizer> make_optimizer(const NamedTensors& parameters, const TrainConfig& config) {
  auto groups = optim::no_decay_groups(parameters, config.weight_decay, {"pos_embed", "cls_token", "R"});
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
  const std::int64_t rest = std::max<std::int64_t>(steps - config.warmup, 0);
  const double minimum = least_factor(config);
  const auto after_warmup = [&] {
    switch (config.schedule) {
      case ScheduleKind::cosine:
        return optim::cosine(rest, minimum);
      case ScheduleKind::linear:
        return optim::linear(rest, minimum);
      case ScheduleKind::cosine_restarts:
        return optim::cosine_restarts(config.restart_every, config.restart_growth, minimum);
      case ScheduleKind::inverse_sqrt:
        return optim::inverse_sqrt(std::max<std::int64_t>(config.warmup, 1));
      default:
        return optim::constant();
    }
  };
  if (config.schedule == ScheduleKind::one_cycle) return one_cycle(config, steps);
  return optim::with_warmup(config.warmup, after_warmup());
}

std::optional<optim::ReduceOnPlateau> make_plateau(const TrainConfig& config) {
  if (config.schedule != ScheduleKind::reduce_on_plateau) return std::nullopt;
  return optim::ReduceOnPlateau({.factor = config.plateau_factor,
                                 .patience = config.plateau_patience,
                                 .minimum = least_factor(config),
                                 .maximize = config.high_is_better()});
}

}  // namespace ff::models
