#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/config.h"
#include "ff/models/config_types.h"

namespace ff::models {
namespace {

using nlohmann::json;

constexpr std::uint64_t largest_file = 1 << 20;
constexpr int deepest = 16;  // sections within sections

// A value as it was given, for an error message.
std::string shown(const json& value) {
  if (value.is_object()) return "an object";
  constexpr std::size_t longest = 60;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > longest) text = text.substr(0, longest) + "...";
  return text;
}

// How many letters must be changed, put in or left out to make b of a (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }
std::string_view section_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

// What the readers of one configuration share.
struct Reading {
  std::string origin;
  std::map<std::string, std::string, std::less<>> overrides;  // text of the value by path
  std::vector<std::string> known;                             // paths of all fields and sections visited
  std::vector<std::string> unknown;                           // paths found that no field has
  std::optional<std::pair<std::string, std::string>> broken;  // path and message of the first requirement not met

  // The override that set path, or a section it is in.
  std::optional<std::string> override_of(std::string path) const {
    for (;; path = section_of(path)) {
      if (const auto found = overrides.find(path); found != overrides.end())
        return fmt::format("{}={}", found->first, found->second);
      if (path.find('.') == std::string::npos) return std::nullopt;
    }
  }

  [[noreturn]] void refuse(const std::string& path, std::string_view message) const {
    const auto set = override_of(path);
    fail("config", "{}: {}: {}", set ? "--set " + *set : origin, path, message);
  }

  // The key that is likely to be meant by a wrong one, a full path; empty if there is none.
  std::string nearest(const std::string& path) const {
    const std::string_view section = section_of(path), key = last_part(path);
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
    for (const std::string& candidate : known) {
      const std::size_t distance = edit_distance(key, last_part(candidate));
      // A key of another section is meant only if it is spelt right.
      if (section_of(candidate) != section && distance > 0) continue;
      if (distance < best_distance || (distance == best_distance && section_of(candidate) == section && best.empty())) {
        best = candidate;
        best_distance = distance;
      }
    }
    return best;
  }

  void refuse_unknown() const {
    if (unknown.empty()) return;
    const std::string& path = unknown.front();
    const std::string meant = nearest(path);
    std::vector<std::string_view> keys;
    for (const std::string& candidate : known)
      if (section_of(candidate) == section_of(path)) keys.push_back(last_part(candidate));
    refuse(path, meant.empty() ? fmt::format("unknown key; the keys here are {}", fmt::join(keys, ", "))
                               : fmt::format("unknown key; did you mean {}?", meant));
  }
};

class Reader : public Fields {
 public:
  Reader(const json& object, std::string section, Reading& reading)
      : object_(object), section_(std::move(section)), reading_(reading) {}

  void integer(std::string_view key, std::int64_t& value, const IntegerRange& range, std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    const auto number = as_integer(*given);
    if (!number) wrong(key, "an integer", *given);
    if (!range.contains(*number)) wrong(key, integer_type(range), *given);
    value = *number;
  }

  void number(std::string_view key, double& value, const NumberRange& range, std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    if (!given->is_number()) wrong(key, "a number", *given);
    if (!range.contains(given->get<double>())) wrong(key, number_type(range), *given);
    value = given->get<double>();
  }

  void flag(std::string_view key, bool& value, std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    if (!given->is_boolean()) wrong(key, "true or false", *given);
    value = given->get<bool>();
  }

  void text(std::string_view key, std::string& value, std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    if (const auto text = as_text(key, *given))
      value = *text;
    else
      wrong(key, "text", *given);
  }

  void numbers(std::string_view key, std::vector<double>& values, const NumberRange& range, std::size_t least,
               std::size_t most, std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    const json list = given->is_number() ? json::array({*given}) : *given;
    const bool right = list.is_array() && list.size() >= least && list.size() <= most &&
                       std::all_of(list.begin(), list.end(), [&](const json& item) {
                         return item.is_number() && range.contains(item.get<double>());
                       });
    if (!right) wrong(key, numbers_type(range, least, most), *given);
    values = list.get<std::vector<double>>();
  }

  void integers(std::string_view key, std::vector<std::int64_t>& values, const IntegerRange& range, std::size_t most,
                std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    const json list = given->is_number() ? json::array({*given}) : *given;
    const bool right =
        list.is_array() && list.size() <= most && std::all_of(list.begin(), list.end(), [&](const json& item) {
          return item.is_number_integer() && range.contains(item.get<std::int64_t>());
        });
    if (!right) wrong(key, integers_type(range, most), *given);
    values = list.get<std::vector<std::int64_t>>();
  }

  void require(bool ok, std::string_view key, std::string_view message) override {
    if (!ok && !reading_.broken) reading_.broken.emplace(joined_path(section_, key), message);
  }

  // To be called when all fields have been visited.
  void note_unknown() {
    for (const auto& [key, value] : object_.items())
      if (!keys_.contains(key)) reading_.unknown.push_back(joined_path(section_, key));
  }

 private:
  void name(std::string_view key, std::size_t& index, const std::vector<std::string>& names,
            std::string_view) override {
    const json* given = find(key);
    if (!given) return;
    const auto text = as_text(key, *given);
    const auto found = text ? std::find(names.begin(), names.end(), *text) : names.end();
    if (found == names.end()) wrong(key, choice_type(names), *given);
    index = static_cast<std::size_t>(found - names.begin());
  }

  void object(std::string_view key, const Visit& visit, std::string_view) override {
    static const json nothing = json::object();
    const json* given = find(key);
    if (given && !given->is_object()) wrong(key, "a section, {...}", *given);
    Reader reader(given ? *given : nothing, joined_path(section_, key), reading_);
    visit(reader);
    reader.note_unknown();
  }

  const json* find(std::string_view key) {
    internal_check(keys_.emplace(key).second, "a configuration has two fields of one key");
    reading_.known.push_back(joined_path(section_, key));
    const auto found = object_.find(std::string(key));
    return found == object_.end() ? nullptr : &*found;
  }

  [[noreturn]] void wrong(std::string_view key, std::string_view expected, const json& given) const {
    reading_.refuse(joined_path(section_, key), fmt::format("expected {}, got {}", expected, shown(given)));
  }

  // An integer, be it written as 1e5 or 3.0.
  static std::optional<std::int64_t> as_integer(const json& given) {
    constexpr double exact = 9007199254740992;  // 2^53
    if (given.is_number_unsigned() && given.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
    if (given.is_number_integer()) return given.get<std::int64_t>();
    if (!given.is_number_float()) return std::nullopt;
    const double value = given.get<double>();
    if (std::trunc(value) != value || std::abs(value) > exact) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }

  // Text; what was set on the command line is text even where it looks like a number.
  std::optional<std::string> as_text(std::string_view key, const json& given) const {
    if (given.is_string()) return given.get<std::string>();
    const auto found = reading_.overrides.find(joined_path(section_, key));
    if (found == reading_.overrides.end()) return std::nullopt;
    return found->second;
  }

  const json& object_;
  std::string section_;
  Reading& reading_;
  std::set<std::string, std::less<>> keys_;
};

// Parses JSON; duplicate keys, which the standard leaves open, and absurd depth are refused.
json parse(std::string_view text, std::string_view origin) {
  std::vector<std::set<std::string>> keys;
  auto watch = [&](int depth, json::parse_event_t event, json& value) {
    check(depth <= deepest, "config", "{}: nested more than {} deep", origin, deepest);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key)
      check(keys.back().insert(value.get<std::string>()).second, "config", "{}: key \"{}\" comes twice in one section",
            origin, value.get<std::string>());
    return true;
  };
  try {
    json root = json::parse(text, watch);
    check(root.is_object(), "config", "{}: expected a JSON object, {{...}}, got {}", origin, shown(root));
    return root;
  } catch (const json::exception& error) {
    const std::string_view message = error.what();
    fail("config", "{}: not JSON: {}", origin, message.substr(std::min(message.size(), message.find("] ") + 2)));
  }
}

// Puts the value of "a.b=value" in its place.
void apply_override(json& root, Reading& reading, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string path = text.substr(0, equals);
  const bool empty_part =
      path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != std::string::npos;
  check(equals != std::string::npos && !empty_part, "config", "--set {}: expected section.key=value", text);
  const std::string raw = text.substr(equals + 1);
  json value = json::parse(raw, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) value = raw;

  json* place = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (!place->is_object()) *place = json::object();
    place = &(*place)[path.substr(begin, end - begin)];
    begin = end + 1;
  }
  *place = std::move(value);
  reading.overrides[path] = raw;
}

// JSON is UTF-8, and so is all that is taken from it.
void check_utf8(const std::string& text) {
  try {
    static_cast<void>(json(text).dump());
  } catch (const json::exception&) {
    fail("config", "--set {}: not UTF-8", text);
  }
}

}  // namespace

void read_config(const Visit& visit, std::string_view text, std::string_view origin, const Overrides& overrides) {
  Reading reading;
  reading.origin = origin;
  json root = parse(text, origin);
  for (const std::string& override_text : overrides) {
    check_utf8(override_text);
    apply_override(root, reading, override_text);
  }
  Reader reader(root, "", reading);
  visit(reader);
  reader.note_unknown();
  reading.refuse_unknown();
  if (reading.broken) reading.refuse(reading.broken->first, reading.broken->second);
}

void read_config_file(const Visit& visit, const std::string& path, const Overrides& overrides) {
  read_config(visit, io::read_file(path, largest_file), path, overrides);
}

}  // namespace ff::models
