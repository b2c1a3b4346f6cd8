#include "tools/progress.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

constexpr std::chrono::milliseconds terminal_interval{100};
constexpr std::chrono::seconds pipe_interval{5};

// Takes the count-th value into a mean of the latest 50 or so.
void follow(double& mean, double value, std::int64_t count) {
  mean += (value - mean) * std::max(1 / static_cast<double>(count), 0.02);
}

}  // namespace

std::string ProgressLine::str(int width, bool live) const {
  constexpr std::size_t least_bar = 8, longest_bar = 30, bar = 4;
  const std::string count = fmt::format("step {}/{}", step, steps);
  // The most important first.
  std::vector<std::string> parts{
      fmt::format("  loss {:.4f}", loss), note.empty() ? fmt::format("  {} left", duration(seconds_left)) : "  " + note,
      fmt::format("  {} {}/s", short_number(items_per_second), items), fmt::format("  lr {:.1e}", lr)};
  if (live) {
    parts.emplace_back(least_bar + 3, ' ');
    parts.push_back(seconds_to_evaluation < seconds_left && note.empty()
                        ? fmt::format("  evaluation in {}", duration(seconds_to_evaluation))
                        : "");
    parts.push_back("  " + byte_size(static_cast<double>(memory)));
    parts.push_back(utilisation > 0 ? fmt::format("  {:.0f} % of peak", 100 * utilisation) : "");
    parts.push_back(fmt::format(" (last {:.4f})", last_loss));
  }
  const auto columns = static_cast<std::size_t>(std::max(width, 1));
  std::size_t used = count.size();
  std::size_t shown = 0;
  while (shown < parts.size() && used + parts[shown].size() <= columns) used += parts[shown++].size();
  parts.resize(shown);

  if (shown > bar) {
    const std::size_t length = std::min(least_bar + columns - used, longest_bar);
    const auto done = static_cast<std::size_t>(static_cast<double>(length) * static_cast<double>(step) /
                                               static_cast<double>(std::max<std::int64_t>(steps, 1)));
    parts[bar] =
        " [" + std::string(std::min(done, length), '=') + std::string(length - std::min(done, length), ' ') + "]";
  }
  std::string line = count;
  for (const std::size_t part : {bar, 0UL, 8UL, 3UL, 2UL, 7UL, 6UL, 5UL, 1UL})
    if (part < parts.size()) line += parts[part];
  return line.substr(0, columns);
}

Progress::Progress(OutputMode mode, std::string items)
    : mode_(mode), items_(std::move(items)), terminal_(is_terminal(STDOUT_FILENO)) {}

Progress::~Progress() { clear(); }

void Progress::on_step(const models::TrainStep& step) {
  const bool first = ++seen_ == 1;
  follow(loss_, step.loss, seen_);
  follow(step_seconds_, step.step_seconds,
         std::max<std::int64_t>(seen_ - 1, 1));  // the first one sets things up: it is forgotten
  last_ = step;
  if (mode_ != OutputMode::normal) return;
  const auto now = Clock::now();
  if (first && !terminal_) shown_ = now;
  if (now - shown_ < (terminal_ ? Clock::duration(terminal_interval) : Clock::duration(pipe_interval))) return;
  show("");
}

void Progress::on_evaluation(std::int64_t) {
  if (live()) show("evaluating");
}

void Progress::show(const std::string& note) {
  ProgressLine line{.step = last_.step,
                    .steps = last_.steps,
                    .memory = terminal_ ? models::peak_memory_bytes() : 0,
                    .loss = loss_,
                    .last_loss = last_.loss,
                    .lr = last_.lr,
                    .items = items_,
                    .note = note};
  if (step_seconds_ > 0) {
    if (peak_ > 0) line.utilisation = flops_ / step_seconds_ / peak_;
    line.seconds_to_evaluation = static_cast<double>(last_.evaluation - last_.step) * step_seconds_;
    line.items_per_second = static_cast<double>(last_.items) / step_seconds_;
    line.seconds_left = static_cast<double>(last_.steps - last_.step) * step_seconds_;
  }
  // The last column stays free: some terminals wrap on filling it.
  if (terminal_)
    fmt::print("\r{}\x1b[K", line.str(terminal_width() - 1, true));
  else
    fmt::print("{}\n", line.str(1000, false));
  std::fflush(stdout);
  line_shown_ = terminal_;
  shown_ = Clock::now();
}

void Progress::on_record(const nlohmann::ordered_json& record) {
  if (mode_ == OutputMode::json) {
    fmt::print("{}\n", record.dump());
    std::fflush(stdout);
  }
  if (mode_ == OutputMode::normal && record.contains("left_out")) {
    clear();
    fmt::print("step {}/{}  the {} is not finite; {} left out so far\n", record["step"].get<std::int64_t>(),
               last_.steps, record["non_finite"].get<std::string>(), record["left_out"].get<std::int64_t>());
    std::fflush(stdout);
  }
  if (mode_ != OutputMode::normal || !(record.contains("test_loss") || record.contains("valid_loss"))) return;
  clear();
  std::string line = fmt::format("step {}/{}  train loss {:.4f}", last_.step, last_.steps, loss_);
  for (const auto& [name, value] : record.items()) {
    if (name == "step" || !value.is_number()) continue;
    line += value.is_number_integer() ? fmt::format("  {} {}", spelled(name), value.dump())
                                      : fmt::format("  {} {:.4f}", spelled(name), value.get<double>());
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void Progress::on_profile(const Profiler& profiler, std::int64_t steps, const std::string& path) {
  if (mode_ != OutputMode::normal) return;
  clear();
  fmt::print("profile of {}, each:\n{}", steps == 1 ? "1 step" : with_commas(steps) + " steps", profiler.table(steps));
  if (!path.empty()) fmt::print("the trace is in {}, for chrome://tracing or https://ui.perfetto.dev\n", path);
  std::fflush(stdout);
}

void Progress::clear() {
  if (!line_shown_) return;
  fmt::print("\r\x1b[K");
  std::fflush(stdout);
  line_shown_ = false;
}

}  // namespace ff::tools
