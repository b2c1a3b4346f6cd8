#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ff/core/tensor.h"
#include "ff/models/training_task.h"

namespace ff::models {

/// What a head of attention does, over all samples and positions.
struct HeadAnalysis {
  /// Mean entropy of a query's weights, in nats: 0 where one key has all of the weight, log M where M share it.
  double entropy = 0;
  /// Mean distance from a query to the keys that it weighs, by their weights, in tokens or patches. Tokens without a
  /// place, such as a class token, are left out, as queries and as keys.
  double distance = 0;
  /// Of the head's outputs about their mean: exp of the entropy of their singular values, scaled to sum to 1 (Roy and
  /// Vetterli 2007). 1 where they lie on a line, D where no direction is preferred, 0 where they are all the same.
  double effective_rank = 0;
};

/// A layer of attention.
struct LayerAnalysis {
  std::string name;  ///< of the module: "blocks.0.attn"
  /// Mean L2 distance between the outputs (D numbers) of two heads at a position, over positions and pairs of heads; 0
  /// where there is one head alone. Nguyen et al. 2022 take it as a measure of how little heads repeat each other.
  double head_distance = 0;
  std::vector<HeadAnalysis> heads;
  Tensor radius;   ///< R, copied; undefined with softmax
  Tensor weights;  ///< f32 (H, N, M): of the sample that is shown
};

struct Analysis {
  std::int64_t samples = 0;  ///< that it is of
  bool patches = false;      ///< distances are in patches of a grid, else in tokens of a line
  std::int64_t prefix = 0;   ///< tokens without a place, first in a sample
  std::vector<LayerAnalysis> layers;
  Tensor shown;  ///< the sample whose weights are kept, as the model is given it: (1, ..)

  /// Means over the layers, and their heads.
  double head_distance() const;
  HeadAnalysis mean() const;
};

struct AnalysisOptions {
  std::int64_t samples =
      64;                  ///< how many to look at, the first of the held-out data; fewer where there are not as many
  std::int64_t shown = 0;  ///< which of them is shown
};

/// Looks into every MultiHeadAttention of a task's model while it evaluates held-out data. Weights are made a few rows
/// at a time, as much memory as sequences take in training or less. The same at any number of threads. Leaves the model
/// in evaluation mode. Throws Error where it has no attention, or there is no such sample.
Analysis analyze(TrainingTask& task, const AnalysisOptions& options = {});

/// All numbers but the weights. Layers have a list of a number a head, and "radius" (a number, or lists: (D), (H, D)).
nlohmann::ordered_json analysis_json(const Analysis& analysis);

}  // namespace ff::models
