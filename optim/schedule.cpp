#include "ff/optim/schedule.h"

#include <cmath>
#include <numbers>

#include "ff/core/check.h"

namespace ff::optim {

Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}

Schedule cosine(std::int64_t total, double minimum) {
  check(total >= 0, "cosine", "the number of updates is negative: {}", total);
  check(minimum >= 0 && minimum <= 1, "cosine", "the minimum is a factor in [0, 1]: {}", minimum);
  return [=](std::int64_t step) {
    if (step >= total) return minimum;
    const double progress = static_cast<double>(step) / static_cast<double>(total);
    return minimum + (1 - minimum) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  };
}

Schedule step_decay(std::int64_t every, double gamma) {
  check(every >= 1 && gamma >= 0, "step_decay", "at least one update and a factor of at least 0 are needed: {} and {}",
        every, gamma);
  return [=](std::int64_t step) { return std::pow(gamma, static_cast<double>(step / every)); };
}

Schedule with_warmup(std::int64_t warmup, Schedule after, double start) {
  check(warmup >= 0, "with_warmup", "the number of updates is negative: {}", warmup);
  check(start >= 0 && start <= 1, "with_warmup", "start is a factor in [0, 1]: {}", start);
  check(after != nullptr, "with_warmup", "nothing follows the warm-up");
  return [=](std::int64_t step) {
    if (step >= warmup) return after(step - warmup);
    return start + (1 - start) * static_cast<double>(step + 1) / static_cast<double>(warmup);
  };
}

Schedule warmup_cosine(std::int64_t warmup, std::int64_t total, double minimum, double start) {
  check(warmup >= 0 && warmup <= total, "warmup_cosine", "a warm-up of {} updates does not fit into {}", warmup, total);
  return with_warmup(warmup, cosine(total - warmup, minimum), start);
}

}  // namespace ff::optim
