#pragma once

#include <cstdint>
#include <string>

#include "ff/core/named_tensors.h"
#include "ff/core/random.h"

namespace ff::models {

/// All that training goes on from after a step, to the last bit.
struct Checkpoint {
  std::int64_t step = 0;            ///< updates made
  RandomKey generator{};            ///< state of default_generator()
  std::int64_t evaluated = -1;      ///< the step that was last evaluated after; -1: none
  double seconds = 0;               ///< spent on training
  std::uint64_t metrics_bytes = 0;  ///< length of the log of metrics
  /// What the next line of the log will be the mean of.
  struct Window {
    double loss = 0, seconds = 0;
    std::int64_t steps = 0, items = 0;
  } window{};
  TensorMap model, optimizer, average;  ///< average: of the weights, empty where there is none
};

/// Writes one safetensors file, atomically: whatever happens, path holds this checkpoint or the one before, whole.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Throws Error naming path where the file is anything else.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace ff::models
