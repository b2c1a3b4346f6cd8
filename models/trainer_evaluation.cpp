// Trainer: evaluations, and what goes by them: the best model, the end, the learning rate on a plateau.

#include <cmath>

#include <nlohmann/json.hpp>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/profiler.h"
#include "ff/core/check.h"
#include "ff/models/trainer.h"

namespace ff::models {
namespace {

double judged_figure(const Figures& figures, const std::string& metric) {
  if (metric.empty()) return figures.front().second;
  std::vector<std::string> names;
  for (const auto& [name, value] : figures) {
    if (name == metric) return value;
    names.push_back(name);
  }
  fail("train", "train.metric: an evaluation has no \"{}\", only {}", metric, fmt::join(names, ", "));
}

// With an evaluation after that step taken in. A figure that is not finite is no better than any.
TrainState::Best taken_in(TrainState::Best best, double figure, std::int64_t step, bool high_is_better) {
  const bool better = best.step < 0 || (high_is_better ? figure > best.figure : figure < best.figure);
  if (std::isfinite(figure) && better) return {.step = step, .figure = figure, .worse = 0};
  ++best.worse;
  return best;
}

}  // namespace

bool Trainer::last_evaluation(const TrainState::Best& best) const {
  return state_.step == steps_ || (config_.patience > 0 && best.worse >= config_.patience);
}

void Trainer::evaluate() {
  const ProfileSpan span("evaluate");
  if (options_.observer != nullptr) options_.observer->on_evaluation(state_.step);
  task_.model().eval();
  NoGrad no_grad;
  if (average_) average_->swap();
  const auto stop = [this] { return stopped(); };
  Figures figures = task_.evaluate(stop);
  const bool whole = !figures.empty();
  const double figure = whole ? judged_figure(figures, config_.metric) : 0;
  const TrainState::Best best = taken_in(state_.best, figure, state_.step, config_.high_is_better());
  std::optional<Figures> tested = Figures{};
  if (whole && last_evaluation(best)) tested = task_.test(stop);
  if (average_) average_->swap();
  task_.model().train();
  if (!whole || !tested) return;  // stopped on the way: as if it had not begun

  figures.insert(figures.end(), tested->begin(), tested->end());
  figures_ = figures;
  state_.evaluated = state_.step;
  state_.best = best;
  if (plateau_) plateau_->measure(figure);
  unsaved_ = true;
  nlohmann::ordered_json values{{"step", state_.step}};
  for (const auto& [name, value] : figures) values[name] = value;
  record(values);
}

}  // namespace ff::models
