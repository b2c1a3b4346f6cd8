#pragma once

#include <memory>
#include <optional>

#include "ff/models/train_config.h"
#include "ff/optim/optimizer.h"
#include "ff/optim/plateau.h"
#include "ff/optim/schedule.h"

namespace ff::models {

/// The optimiser that config describes. Matrices decay, biases, norms, radii, positions and the class token do not.
std::unique_ptr<optim::Optimizer> make_optimizer(const NamedTensors& parameters, const TrainConfig& config);

/// The factor of config.lr by step, for a run of that many.
optim::Schedule make_schedule(const TrainConfig& config, std::int64_t steps);

/// What that factor is multiplied by where config's schedule is reduce_on_plateau; none where it is another.
std::optional<optim::ReduceOnPlateau> make_plateau(const TrainConfig& config);

}  // namespace ff::models
