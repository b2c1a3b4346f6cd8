#pragma once

#include <cstdint>
#include <string>

#include "ff/core/named_tensors.h"
#include "ff/core/random.h"
#include "ff/optim/plateau.h"

namespace ff::models {

/// What the loop of a run goes by, beside tensors and random numbers.
struct TrainState {
  std::int64_t step = 0;        ///< updates made, with those that were left out
  std::int64_t evaluated = -1;  ///< the step that was last evaluated after; -1: none
  double seconds = 0;           ///< spent on training
  /// What the next line of the log will be the mean of.
  struct Window {
    double loss = 0, seconds = 0;
    std::int64_t steps = 0, items = 0;
  } window{};
  /// The best evaluation so far.
  struct Best {
    std::int64_t step = -1;  ///< that it was made after; -1: none
    double figure = 0;       ///< that it was judged by
    std::int64_t worse = 0;  ///< evaluations since then
  } best{};
  /// Updates left out, their loss or gradient not being finite.
  struct NonFinite {
    std::int64_t updates = 0, in_a_row = 0;  ///< in all; up to now
    double factor = 1;                       ///< what they have made of the learning rate
  } non_finite{};
  optim::ReduceOnPlateau::State plateau{};
};

/// All that training goes on from after a step, to the last bit.
struct Checkpoint {
  TrainState state;
  RandomKey generator{};                ///< state of default_generator()
  std::uint64_t metrics_bytes = 0;      ///< length of the log of metrics
  std::string config = "{}";            ///< of the run, JSON
  TensorMap model, optimizer, average;  ///< average: of the weights, empty where there is none
};

/// Writes one safetensors file, atomically: whatever happens, path holds this checkpoint or the one before, whole.
void save_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// Throws Error naming path where the file is anything else.
Checkpoint load_checkpoint(const std::string& path);

}  // namespace ff::models
