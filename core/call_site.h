#pragma once

#include <string>

namespace ff {

/// A line of source: as the default argument of a function (`Where where = {}`), the line it was called from. As
/// std::source_location, which Clang 14 lacks.
struct Where {
  const char* file;  ///< null: unknown
  int line;

  constexpr Where(const char* at_file = __builtin_FILE(), int at_line = __builtin_LINE()) noexcept
      : file(at_file), line(at_line) {}
  static constexpr Where unknown() { return {nullptr, 0}; }

  bool known() const { return file != nullptr; }
  /// Whether it lies in core, autograd, nn or optim: where users did not write what is there.
  bool in_library() const;
  /// "models/block.cpp:12", relative to this project's root if it lies below; "" if unknown.
  std::string str() const;
  bool operator==(const Where& other) const;
};

/// While it lives, what is thrown in this thread names the line that called, and what is computed remembers it. A
/// public function makes one of its `where` first thing. They nest on the stack, the innermost last.
class CallSite {
 public:
  enum class Level {
    op,      ///< a function of the library: functions that it calls itself keep its line
    module,  ///< a part of a network: functions called inside have lines of their own
    replay   ///< the backward pass of an op: what it computes keeps the op's line
  };

  explicit CallSite(Where where, Level level = Level::op);
  ~CallSite();
  CallSite(const CallSite&) = delete;
  CallSite& operator=(const CallSite&) = delete;

  /// The line of the innermost one; unknown if there is none.
  static Where current();
  /// The lines that lead there, innermost first, those of the library left out unless there are no others: " (at
  /// model.cpp:12, called at main.cpp:40)"; empty if there are none.
  static std::string trace();

 private:
  Where where_;
  Level level_;
  bool entered_;
  const CallSite* outer_;
};

}  // namespace ff
