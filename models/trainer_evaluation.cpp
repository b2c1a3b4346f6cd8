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

// A model in evaluation mode, with the averages of its weights where there are any, until this goes out of scope.
class Evaluating {
 public:
  Evaluating(nn::Module& model, std::optional<optim::Average>& average) : model_(model), average_(average) {
    model_.eval();
    if (average_) average_->swap();
  }
  ~Evaluating() {
    if (average_) average_->swap();
    model_.train();
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  nn::Module& model_;
  std::optional<optim::Average>& average_;
  NoGrad no_grad_;
};

}  // namespace

bool Trainer::last_evaluation(const TrainState::Best& best) const {
  return state_.step == steps_ || (config_.patience > 0 && best.worse >= config_.patience);
}

void Trainer::evaluate() {
  const ProfileSpan span("evaluate");
  if (options_.observer != nullptr) options_.observer->on_evaluation(state_.step);
  const auto stop = [this] { return stopped(); };
  Figures figures;
  std::optional<Figures> tested = Figures{};
  double figure = 0;
  TrainState::Best best;
  {
    const Evaluating evaluating(task_.model(), average_);
    figures = task_.evaluate(stop);
    if (figures.empty()) return;  // stopped on the way: as if it had not begun
    figure = judged_figure(figures, config_.metric);
    best = taken_in(state_.best, figure, state_.step, config_.high_is_better());
    if (last_evaluation(best)) tested = task_.test(stop);
    if (!tested) return;
  }

  figures.insert(figures.end(), tested->begin(), tested->end());
  figures_ = figures;
  state_.evaluated = state_.step;
  state_.best = best;
  if (plateau_) plateau_->measure(figure);
  unsaved_ = true;
  nlohmann::ordered_json values{{"step", state_.step}};
  for (const auto& [name, value] : figures) values[name] = value;
  task_.report(values);
  record(values);
}

}  // namespace ff::models
