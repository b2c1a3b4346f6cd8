#pragma once

#include <cstdint>

namespace ff::optim {

struct ReduceOnPlateauOptions {
  double factor = 0.1;         ///< what the rate is multiplied by, in (0, 1)
  std::int64_t patience = 10;  ///< measurements without improvement that are put up with
  double threshold = 1e-4;     ///< share of the best that a better one must differ by
  std::int64_t cooldown = 0;   ///< measurements after a reduction that do not count as bad
  double minimum = 0;          ///< of the factor in all
  bool maximize = false;       ///< higher is better
};

/// A factor of the learning rate that falls where a measured figure no longer improves; PyTorch's ReduceLROnPlateau,
/// threshold_mode "rel". Used as optimizer.scale_lr(schedule(step) * plateau.factor()).
class ReduceOnPlateau {
 public:
  /// All that it remembers, for a checkpoint. Every number is finite.
  struct State {
    double factor = 1, best = 0;
    std::int64_t improvements = 0, bad = 0, cooldown = 0;  ///< best counts where there were improvements
  };

  /// Throws Error where an option makes no sense.
  explicit ReduceOnPlateau(const ReduceOnPlateauOptions& options = {});

  /// Takes in a measurement; one that is not finite counts as a bad one.
  void measure(double figure);
  double factor() const { return state_.factor; }

  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }

 private:
  ReduceOnPlateauOptions options_;
  State state_;
};

}  // namespace ff::optim
