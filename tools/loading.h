#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "ff/models/load_listener.h"

namespace ff::tools {

/// Shows how the reading of data goes, in a line on stderr that is rewritten in place, if that is a terminal. The line
/// is gone when this is.
class LoadingLine {
 public:
  explicit LoadingLine(bool quiet = false);
  ~LoadingLine();
  LoadingLine(const LoadingLine&) = delete;
  LoadingLine& operator=(const LoadingLine&) = delete;

  /// It must not outlive this.
  models::LoadListener listener();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::string_view doing, double share);

  bool shows_, shown_ = false;
  Clock::time_point next_;
};

/// "encoding train.txt  [=====>    ]  43 %" in at most width columns: the bar shrinks, then goes.
std::string loading_line(std::string_view doing, double share, int width);

}  // namespace ff::tools
