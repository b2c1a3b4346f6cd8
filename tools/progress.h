#pragma once

#include <chrono>
#include <string>

#include "ff/models/trainer.h"

namespace ff::tools {

enum class OutputMode {
  normal,  ///< a line rewritten in place on a terminal, else a line every few seconds
  quiet,   ///< nothing
  json,    ///< the records of metrics.jsonl
};

/// Shows on stdout how training goes.
class Progress : public models::TrainObserver {
 public:
  /// items: what is learnt from, "images".
  Progress(OutputMode mode, std::string items);
  ~Progress() override;

  void on_step(const models::TrainStep& step) override;
  void on_evaluation(std::int64_t step) override;
  void on_record(const nlohmann::ordered_json& record) override;
  void on_profile(const Profiler& profiler, std::int64_t steps, const std::string& path) override;

  /// Whether there is a line that is rewritten.
  bool live() const { return mode_ == OutputMode::normal && terminal_; }
  /// What utilisation is told by: the FLOPs of a step in matrix products, and the most that the machine does in a
  /// second.
  void set_flops(double step, double peak) { flops_ = step, peak_ = peak; }
  /// Takes the line that is rewritten off the terminal.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::string& note);

  OutputMode mode_;
  std::string items_;
  bool terminal_;
  bool line_shown_ = false;
  models::TrainStep last_;
  std::int64_t seen_ = 0;               // steps of this process
  double loss_ = 0, step_seconds_ = 0;  // running means of the latest steps
  double flops_ = 0, peak_ = 0;
  Clock::time_point shown_{};
};

/// A step in one line of at most width columns: the bar shrinks, then what matters least goes. Where it is live, to be
/// rewritten in place, it has the bar and what is of the moment; else it is a line of a log.
///   step 1200/4690 [=====     ]  loss 0.4321 (last 0.4410)  lr 9.8e-04  12.3k images/s  83 % of peak  130.5 MiB
///     evaluation in 0:12  1:23 left
///   step 1200/4690  loss 0.4321  lr 9.8e-04  12.3k images/s  1:23 left
struct ProgressLine {
  std::int64_t step = 0, steps = 1, memory = 0;
  double loss = 0, last_loss = 0, lr = 0, items_per_second = 0;  ///< loss: the mean of the latest
  double utilisation = 0;                                        ///< 0: not known
  double seconds_left = 0, seconds_to_evaluation = 0;
  std::string items, note;  ///< note takes the place of the time left
  std::string str(int width, bool live) const;
};

}  // namespace ff::tools
