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
  Clock::time_point shown_{};
};

/// A step in one line of at most width columns: the bar shrinks, then what matters least goes.
///   step 1200/4690 [=======>            ]  loss 0.4321  lr 9.8e-04  12.3k images/s  1:23 left
struct ProgressLine {
  std::int64_t step = 0, steps = 1;
  double loss = 0, lr = 0, items_per_second = 0, seconds_left = 0;
  std::string items, note;  ///< note takes the place of the time left
  std::string str(int width, bool bar) const;
};

}  // namespace ff::tools
