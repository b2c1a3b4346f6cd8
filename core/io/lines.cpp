#include "ff/core/io/lines.h"

#include <charconv>

#include "ff/core/check.h"

namespace ff::io {

LineReader::LineReader(std::string path, std::string op)
    : file_(std::move(path), std::move(op), InputFile::Format::plain) {}

std::optional<std::string_view> LineReader::next() {
  constexpr std::size_t chunk = 1 << 16;
  for (std::size_t searched = at_;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string_view line(buffer_.data() + at_, end - at_);
      at_ = end + 1;
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++number_;
      return line;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    searched = buffer_.size();
    buffer_.resize(searched + chunk);
    buffer_.resize(searched + file_.read_some(buffer_.data() + searched, chunk));
    if (buffer_.size() > searched) continue;
    if (buffer_.empty()) return std::nullopt;
    buffer_ += '\n';  // the last line has no end
  }
}

void LineReader::fail(std::string_view message) const {
  ff::fail(file_.op(), "{}:{}: {}", file_.path(), number_, message);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const std::size_t begin = text.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::string_view cut_field(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

std::optional<double> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);  // which from_chars refuses
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t longest = 40;
  return text.size() <= longest ? std::string(text) : std::string(text.substr(0, longest)) + "...";
}

}  // namespace ff::io
