#include "ff/optim/schedule.h"

#include <cmath>
#include <numbers>

#include "ff/core/check.h"

namespace ff::optim {
namespace {

void check_minimum(const char* op, double minimum) {
  check(minimum >= 0 && minimum <= 1, op, "the minimum is a factor in [0, 1]: {}", minimum);
}

// Half a cosine from one value to another, progress being 0 to 1.
double half_cosine(double from, double to, double progress) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

double share(std::int64_t part, std::int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

Schedule constant() {
  return [](std::int64_t) { return 1.0; };
}

Schedule cosine(std::int64_t total, double minimum) {
  check(total >= 0, "cosine", "the number of updates is negative: {}", total);
  check_minimum("cosine", minimum);
  return [=](std::int64_t step) { return step >= total ? minimum : half_cosine(1, minimum, share(step, total)); };
}

Schedule cosine_restarts(std::int64_t first, std::int64_t growth, double minimum) {
  check(first >= 1 && growth >= 1, "cosine_restarts", "at least one update and a growth of at least 1: {} and {}",
        first, growth);
  check_minimum("cosine_restarts", minimum);
  return [=](std::int64_t step) {
    auto length = static_cast<double>(first), at = static_cast<double>(growth == 1 ? step % first : step);
    for (; at >= length; length *= static_cast<double>(growth)) at -= length;
    return half_cosine(1, minimum, at / length);
  };
}

Schedule linear(std::int64_t total, double minimum) {
  check(total >= 0, "linear", "the number of updates is negative: {}", total);
  check_minimum("linear", minimum);
  return [=](std::int64_t step) { return step >= total ? minimum : 1 + (minimum - 1) * share(step, total); };
}

Schedule inverse_sqrt(std::int64_t scale) {
  check(scale >= 1, "inverse_sqrt", "the scale is at least 1: {}", scale);
  return [=](std::int64_t step) { return std::sqrt(share(scale, scale + step)); };
}

Schedule one_cycle(std::int64_t total, std::int64_t rise, double start, double end) {
  check(rise >= 2 && rise < total, "one_cycle", "a rise of {} updates, of {}; 2 <= rise < total is needed", rise,
        total);
  check(start >= 0 && start <= 1 && end >= 0 && end <= 1, "one_cycle", "start and end are factors in [0, 1]: {} and {}",
        start, end);
  return [=](std::int64_t step) {
    if (step < rise) return half_cosine(start, 1, share(step, rise - 1));
    return step >= total - 1 ? end : half_cosine(1, end, share(step - rise + 1, total - rise));
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
