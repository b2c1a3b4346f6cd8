#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ff/core/call_site.h"
#include "ff/core/shape.h"
#include "ff/core/tensor.h"

namespace ff {

namespace autograd {
struct Scope;

extern std::atomic<bool> profiling;  // whether a Profiler records
}  // namespace autograd

/// What was done: an op; the gradient of one, with the ops that it is made of; a call of a module; another part of a
/// program, such as a step of the optimiser.
enum class ProfilePhase { forward, backward, module, part };
const char* name(ProfilePhase phase);

/// Something that took time. Times are in nanoseconds.
struct ProfileEvent {
  std::string name;
  ProfilePhase phase{};
  int thread = 0;           ///< a number that each thread has of its own
  std::int64_t start = 0;   ///< since the Profiler was made
  std::int64_t length = 0;  ///< from beginning to end
  std::int64_t self = 0;    ///< of that, outside of the events inside
  double bytes = 0;  ///< of the tensors read and written, once each; 0 for views, and where ops inside count them
  std::vector<Shape> inputs{};
  Where site = Where::unknown();                   ///< the line that called the op
  std::shared_ptr<const autograd::Scope> scope{};  ///< the module call it was computed in
};

/// Records, while it lives, what all threads compute: every op, forward and backward, every call of a module, and the
/// parts that ProfileSpan names. Only one can record at a time. An op takes about a microsecond longer meanwhile.
///   ff::Profiler profiler;
///   for (int i = 0; i < 5; ++i) train_step();
///   std::cout << profiler.table(5);
///   profiler.save_chrome_trace("trace.json");
class Profiler {
 public:
  /// Throws Error if another one records.
  Profiler();
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  /// Ends the recording; what follows is not seen. Called again, does nothing.
  void stop();
  /// Recorded so far, in seconds.
  double seconds() const;
  /// What has ended so far, in the order of its ends.
  std::vector<ProfileEvent> events() const;

  /// The events of a name and phase, taken together.
  struct Row {
    std::string name;
    ProfilePhase phase{};
    bool aside = false;  ///< done by another thread than the one that made the Profiler
    std::int64_t calls = 0;
    double seconds = 0;  ///< without what was inside, so that nothing is counted twice
    double bytes = 0;    ///< read and written
  };
  /// Those of its own thread first, longest first. Their seconds sum up to no more than seconds().
  std::vector<Row> rows() const;
  /// The rows as text, a line each: calls and milliseconds of one of so many steps, share of the time recorded, mean
  /// time of a call, GB/s. All but the longest `most` are taken together.
  std::string table(std::int64_t steps = 1, std::size_t most = 40) const;

  /// Writes a trace that chrome://tracing and https://ui.perfetto.dev open: events with their shapes, bytes, modules
  /// and lines, a track for each thread. Atomic; throws Error where the file cannot be written.
  void save_chrome_trace(const std::string& path) const;

  class Recording;

 private:
  std::shared_ptr<Recording> recording_;
};

/// Has a Profiler record what is done while it lives. Costs a test of a flag where there is none.
class ProfileSpan {
 public:
  /// A part of a program.
  explicit ProfileSpan(std::string_view part) {
    if (autograd::profiling.load(std::memory_order_relaxed)) [[unlikely]]
      open(ProfilePhase::part, part);
  }
  /// An op, the gradient of one (from those of its results), a call of a module (from nothing).
  ProfileSpan(ProfilePhase phase, std::string_view name, const std::vector<Tensor>& inputs = {}) {
    if (autograd::profiling.load(std::memory_order_relaxed)) [[unlikely]]
      open(phase, name, inputs);
  }
  ~ProfileSpan() {
    if (open_) [[unlikely]]
      close();
  }
  ProfileSpan(const ProfileSpan&) = delete;
  ProfileSpan& operator=(const ProfileSpan&) = delete;

  bool recorded() const { return open_ != nullptr; }
  /// A tensor that is read besides the inputs.
  void reads(const Tensor& tensor) const;
  /// What an op gives.
  void gives(const std::vector<Tensor>& results) const {
    if (open_) [[unlikely]]
      count(results);
  }

 private:
  struct Open;

  void open(ProfilePhase phase, std::string_view name, const std::vector<Tensor>& inputs = {});
  void close();
  void count(const std::vector<Tensor>& results) const;

  Open* open_ = nullptr;
};

}  // namespace ff
