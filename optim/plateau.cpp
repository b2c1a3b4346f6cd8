#include "ff/optim/plateau.h"

#include <algorithm>
#include <cmath>

#include "ff/core/check.h"

namespace ff::optim {

ReduceOnPlateau::ReduceOnPlateau(const ReduceOnPlateauOptions& options) : options_(options) {
  const char* op = "ReduceOnPlateau";
  check(options.factor > 0 && options.factor < 1, op, "factor must be in (0, 1): {}", options.factor);
  check(options.patience >= 0 && options.cooldown >= 0, op, "patience and cooldown are at least 0: {} and {}",
        options.patience, options.cooldown);
  check(options.threshold >= 0 && options.threshold < 1, op, "threshold must be in [0, 1): {}", options.threshold);
  check(options.minimum >= 0 && options.minimum <= 1, op, "minimum is a factor in [0, 1]: {}", options.minimum);
}

void ReduceOnPlateau::measure(double figure) {
  const double margin = options_.maximize ? 1 + options_.threshold : 1 - options_.threshold;
  const double limit = state_.best * margin;
  const bool improved = options_.maximize ? figure > limit : figure < limit;
  const bool better = std::isfinite(figure) && (state_.improvements == 0 || improved);
  if (better) {
    state_.best = figure;
    ++state_.improvements;
  }
  state_.bad = better ? 0 : state_.bad + 1;
  if (state_.cooldown > 0) {
    --state_.cooldown;
    state_.bad = 0;
  }
  if (state_.bad <= options_.patience) return;
  state_.factor = std::max(state_.factor * options_.factor, options_.minimum);
  state_.cooldown = options_.cooldown;
  state_.bad = 0;
}

}  // namespace ff::optim
