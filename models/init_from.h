#pragma once

#include <string>
#include <vector>

#include "ff/core/named_tensors.h"
#include "ff/nn/module.h"

namespace ff::models {

/// What became of the tensors of a state that a model was started from.
struct InitReport {
  /// A tensor that has another shape in the model.
  struct Reshaped {
    std::string name;
    Shape from, to;
    bool interpolated;  ///< else it is left as it was initialised
  };
  std::vector<std::string> loaded, missing, unexpected;  ///< missing: from the state; unexpected: not in the model
  std::vector<Reshaped> reshaped;
};

/// Starts model from weights that were trained before, for fine-tuning: takes over what has its name and shape in
/// state. What has another shape, such as a head for other classes, stays as it was initialised, except for the
/// position embedding of a VisionTransformer, which is interpolated to the grid of its patches. Throws Error, changing
/// nothing, where no tensor of state belongs to the model, or kinds of dtype differ.
InitReport init_from(nn::Module& model, const TensorMap& state);

/// The same from a safetensors file, or the folder of a run. Throws Error naming the path.
InitReport init_from(nn::Module& model, const std::string& path);

}  // namespace ff::models
