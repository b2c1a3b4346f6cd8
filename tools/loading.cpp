#include "tools/loading.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "tools/terminal.h"

namespace ff::tools {

LoadingLine::LoadingLine(bool quiet)
    : shows_(!quiet && is_terminal(STDERR_FILENO)), next_(Clock::now() + std::chrono::milliseconds(300)) {}

LoadingLine::~LoadingLine() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

models::LoadListener LoadingLine::listener() {
  if (!shows_) return {};
  return [this](std::string_view doing, double share) { show(doing, share); };
}

// What is soon done is not shown at all.
void LoadingLine::show(std::string_view doing, double share) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  shown_ = true;
  fmt::print(stderr, "\r{}\x1b[K", loading_line(doing, share, terminal_width() - 1));
  std::fflush(stderr);
}

std::string loading_line(std::string_view doing, double share, int width) {
  constexpr std::size_t least_bar = 8, longest_bar = 30;
  const auto columns = static_cast<std::size_t>(std::max(width, 1));
  const std::string end = fmt::format("  {:3.0f} %", 100 * share);
  const std::size_t used = doing.size() + end.size();
  std::string bar;
  if (columns >= used + 4 + least_bar) {
    const std::size_t length = std::min(columns - used - 4, longest_bar);
    const auto done = static_cast<std::size_t>(static_cast<double>(length) * std::clamp(share, 0.0, 1.0));
    bar = "  [" + std::string(done, '=') + std::string(length - done, ' ') + "]";
  }
  return (std::string(doing) + bar + end).substr(0, columns);
}

}  // namespace ff::tools
