#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// What the program prints on, and how.
namespace ff::tools {

/// Whether file descriptor 1 (stdout) or 2 (stderr) is a terminal that understands escape codes.
bool is_terminal(int descriptor);

/// Columns of the terminal on stdout, as it is now; 80 where unknown.
int terminal_width();

enum class Style { bold, dim, red, green };

/// text in that style, if descriptor is a terminal and NO_COLOR is unset (https://no-color.org).
std::string styled(int descriptor, Style style, std::string_view text);

/// 12345678 as "12,345,678".
std::string with_commas(std::int64_t n);
/// A rate, or another large number, in at most five columns: "0.25", "987", "12.3k", "4.56M".
std::string short_number(double value);
/// Seconds as "8.3 s", "4:07" or "2:04:07".
std::string duration(double seconds);
/// Bytes as "512 B", "1.4 MiB", ...
std::string byte_size(double bytes);

/// text fit to be shown anywhere: control characters (but ends of lines and tabs) and what is no UTF-8 become U+FFFD.
std::string printable(std::string_view text);

/// How many bytes at the end of a text begin a UTF-8 character that is not complete yet: 0 to 3.
std::size_t incomplete_utf8(std::string_view text);

/// text in one line: line breaks become "; ".
std::string one_line(std::string_view text);

}  // namespace ff::tools
