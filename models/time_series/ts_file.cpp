#include "ff/models/time_series/ts_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "ff/core/check.h"
#include "ff/core/io/lines.h"

namespace ff::models {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

class TsReader {
 public:
  explicit TsReader(const std::string& path) : lines_(path, "load_ts") {}

  TimeSeriesFile read() {
    read_header();
    while (const auto line = lines_.next())
      if (!passed_over(*line)) read_series(*line);
    if (file_.series.empty()) lines_.fail("no series follows @data");
    return std::move(file_);
  }

 private:
  template <class... Args>
  void require(bool ok, fmt::format_string<Args...> format, Args&&... args) const {
    if (!ok) [[unlikely]]
      lines_.fail(fmt::format(format, std::forward<Args>(args)...));
  }

  static bool passed_over(std::string_view line) { return line.starts_with('#') || io::trimmed(line).empty(); }

  void read_header() {
    std::set<std::string, std::less<>> seen;
    for (;;) {
      const auto line = lines_.next();
      require(line.has_value(), "the file ends before @data");
      if (passed_over(*line)) continue;
      require(line->starts_with('@'), "expected a line \"@key value\" of the header, got \"{}\"", io::excerpt(*line));
      std::string_view value = *line;
      const std::string key = lower(io::trimmed(io::cut_field(value, ' ')));
      require(seen.insert(key).second, "{} comes twice", key);
      value = io::trimmed(value);
      if (key == "@data") break;
      read_field(key, value);
    }
    require(!file_.classes.empty(), "the header must name the classes: @classLabel true ...");
    if (univariate_) {
      require(!*univariate_ || file_.dimensions <= 1, "@univariate is true, but @dimensions {}", file_.dimensions);
      if (*univariate_) file_.dimensions = 1;
    }
    require(file_.dimensions > 0, "the header must tell @dimensions, or @univariate true");
    if (!equal_length_.value_or(true)) steps_.reset();
  }

  void read_field(const std::string& key, std::string_view value) {
    if (key == "@problemname") return;
    if (key == "@timestamps")
      require(!flag(key, value), "series with time stamps are not supported");
    else if (key == "@missing")
      missing_ = flag(key, value);
    else if (key == "@univariate")
      univariate_ = flag(key, value);
    else if (key == "@equallength")
      equal_length_ = flag(key, value);
    else if (key == "@dimensions" || key == "@dimension")
      file_.dimensions = count(key, value);
    else if (key == "@serieslength")
      steps_ = count(key, value);
    else if (key == "@classlabel")
      read_classes(value);
    else if (key == "@targetlabel")
      require(!flag(key, value), "series for regression are not supported");
    else
      require(false, "unknown key {} of the header", io::excerpt(key));
  }

  bool flag(const std::string& key, std::string_view value) const {
    const std::string text = lower(value);
    require(text == "true" || text == "false", "{} must be true or false, got \"{}\"", key, io::excerpt(value));
    return text == "true";
  }

  std::int64_t count(const std::string& key, std::string_view value) const {
    constexpr double most = 1 << 30;
    const auto number = io::parse_number(value);
    require(number && *number >= 1 && *number <= most && std::trunc(*number) == *number,
            "{} must be a whole number of at least 1, got \"{}\"", key, io::excerpt(value));
    return static_cast<std::int64_t>(*number);
  }

  void read_classes(std::string_view value) {
    require(flag("@classlabel", io::cut_field(value, ' ')), "series without classes are not supported");
    while (!value.empty()) {
      const std::string name(io::trimmed(io::cut_field(value, ' ')));
      if (name.empty()) continue;
      require(labels_.emplace(name, file_.classes.size()).second, "class {} comes twice", io::excerpt(name));
      file_.classes.push_back(name);
    }
    require(!file_.classes.empty(), "@classlabel true must be followed by the names of the classes");
  }

  void read_series(std::string_view line) {
    const auto fields = std::count(line.begin(), line.end(), ':');
    require(fields == file_.dimensions, "{} dimensions and a class were announced, separated by colons; there are {}",
            file_.dimensions, fields + 1);
    TimeSeries series;
    for (std::int64_t d = 0; d < file_.dimensions; ++d) read_dimension(io::cut_field(line, ':'), d, series);
    const auto found = labels_.find(io::trimmed(line));
    require(found != labels_.end(), "\"{}\" is none of the {} classes of the header", io::excerpt(io::trimmed(line)),
            labels_.size());
    series.label = static_cast<std::int64_t>(found->second);
    if (equal_length_.value_or(false) && !steps_) steps_ = series.steps;
    require(!steps_ || *steps_ == series.steps, "a series of {} steps, but by the header all have {}", series.steps,
            steps_.value_or(0));
    file_.series.push_back(std::move(series));
  }

  // The text of dimension d; the first one tells how many steps there are.
  void read_dimension(std::string_view text, std::int64_t d, TimeSeries& series) const {
    const std::int64_t steps = std::count(text.begin(), text.end(), ',') + 1;
    if (d == 0) series.steps = steps;
    require(steps == series.steps, "dimension {} has {} values, dimension 1 has {}", d + 1, steps, series.steps);
    for (std::int64_t t = 0; t < steps; ++t) series.values.push_back(value_of(io::cut_field(text, ','), d, t));
  }

  float value_of(std::string_view text, std::int64_t d, std::int64_t t) const {
    const bool absent = io::trimmed(text) == "?";
    const auto number = absent ? std::numeric_limits<double>::quiet_NaN() : io::parse_number(text);
    const bool fits = number && !(std::abs(*number) > std::numeric_limits<float>::max());
    require(fits, "value {} of dimension {} must be a number or ?, got \"{}\"", t + 1, d + 1, io::excerpt(text));
    require(missing_ || !std::isnan(*number), "value {} of dimension {} is missing, but @missing is not true", t + 1,
            d + 1);
    return static_cast<float>(*number);
  }

  io::LineReader lines_;
  TimeSeriesFile file_;
  std::map<std::string, std::size_t, std::less<>> labels_;
  bool missing_ = false;
  std::optional<bool> univariate_, equal_length_;
  std::optional<std::int64_t> steps_;  // of every series, where all have as many
};

}  // namespace

TimeSeriesFile load_ts(const std::string& path) { return TsReader(path).read(); }

}  // namespace ff::models
