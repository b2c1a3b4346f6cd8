#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ff/core/io/file.h"

namespace ff::io {

/// A text file read line by line, in memory that its longest line bounds; for readers whose errors tell the line.
class LineReader {
 public:
  /// Opens path, which is not uncompressed, for op, the name that stands in front of error messages.
  LineReader(std::string path, std::string op);

  /// The next line without its end, "\n" or "\r\n", which the last one need not have; none at the end of the file.
  /// Valid until the next call.
  std::optional<std::string_view> next();
  /// Number of the line that next() returned, from 1.
  std::int64_t number() const { return number_; }
  /// Throws Error("[op] path:line: message").
  [[noreturn]] void fail(std::string_view message) const;

 private:
  InputFile file_;
  std::string buffer_;
  std::size_t at_ = 0;  // where the next line begins in it
  std::int64_t number_ = 0;
};

/// text without blanks and tabs around it.
std::string_view trimmed(std::string_view text);

/// Cuts what stands before the first separator off text, and that separator; all of text where there is none.
std::string_view cut_field(std::string_view& text, char separator);

/// The number that all of text spells, blanks around it aside: "1", "-2.5e3", "nan", "inf"; none where it spells none,
/// or one that no double holds.
std::optional<double> parse_number(std::string_view text);

/// text fit for an error message: its beginning.
std::string excerpt(std::string_view text);

}  // namespace ff::io
