#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

/// Configuration that is described once: a struct lists its fields in a function visit(Fields&), and from that come its
/// reading (with errors that name the key, its place and the nearest right one), its writing and its documentation.
///
///     struct CakeConfig {
///       std::int64_t layers = 2;
///       double sugar = 0.3;
///       void visit(Fields& f) {
///         f.integer("layers", layers, {.min = 1}, "how many");
///         f.number("sugar", sugar, {.min = 0, .below = 1}, "share of the weight");
///         f.require(layers < 10 || sugar > 0.1, "sugar", "a high cake needs more than 0.1");
///       }
///     };
namespace ff::models {

struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min(), max = std::numeric_limits<std::int64_t>::max();

  bool contains(std::int64_t value) const { return value >= min && value <= max; }
  /// "of at least 1", "from 1 to 8"; empty where every value will do.
  std::string str() const;
};

/// Numbers from min to max; above and below are bounds that are not in it themselves.
struct NumberRange {
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();
  double above = -std::numeric_limits<double>::infinity(), below = std::numeric_limits<double>::infinity();

  bool contains(double value) const { return value >= min && value <= max && value > above && value < below; }
  std::string str() const;
};

/// What visits the fields of a configuration. A key that is not given leaves its member as it is: at the default.
class Fields {
 public:
  virtual ~Fields() = default;

  virtual void integer(std::string_view key, std::int64_t& value, const IntegerRange& range, std::string_view help) = 0;
  virtual void number(std::string_view key, double& value, const NumberRange& range, std::string_view help) = 0;
  virtual void flag(std::string_view key, bool& value, std::string_view help) = 0;
  virtual void text(std::string_view key, std::string& value, std::string_view help) = 0;
  /// A list of least to most numbers; a single number is a list of one.
  virtual void numbers(std::string_view key, std::vector<double>& values, const NumberRange& range, std::size_t least,
                       std::size_t most, std::string_view help) = 0;
  /// A list of at most `most` integers; a single integer is a list of one.
  virtual void integers(std::string_view key, std::vector<std::int64_t>& values, const IntegerRange& range,
                        std::size_t most, std::string_view help) = 0;
  /// One of several values, each with the name that stands for it.
  template <class Enum>
  void choice(std::string_view key, Enum& value, const std::vector<std::pair<std::string, Enum>>& choices,
              std::string_view help) {
    std::vector<std::string> names;
    std::size_t index = choices.size();
    for (const auto& [name, choice] : choices) {
      if (choice == value) index = names.size();
      names.push_back(name);
    }
    name(key, index, names, help);
    value = choices.at(index).second;
  }
  /// A section: an object of fields of its own.
  template <class Section>
  void section(std::string_view key, Section& section, std::string_view help) {
    object(
        key, [&section](Fields& fields) { section.visit(fields); }, help);
  }

  /// What must hold between fields, all of which have been visited: else key is wrong, and message says why. Told only
  /// where every key and type is right.
  virtual void require(bool ok, std::string_view key, std::string_view message) = 0;

 protected:
  /// The index of one of names.
  virtual void name(std::string_view key, std::size_t& index, const std::vector<std::string>& names,
                    std::string_view help) = 0;
  virtual void object(std::string_view key, const std::function<void(Fields&)>& visit, std::string_view help) = 0;
};

/// Calls visit() of a configuration.
using Visit = std::function<void(Fields&)>;

/// Settings "section.key=value" that go before what the file says. The value is JSON, or else text as it stands.
using Overrides = std::vector<std::string>;

/// Reads a configuration from JSON. origin is what errors call it: the file's path. Throws Error("[config] ..") where
/// the text is not a JSON object, a key is unknown or comes twice, or a value is of a wrong type, out of its range or
/// in conflict with another.
void read_config(const Visit& visit, std::string_view json, std::string_view origin, const Overrides& overrides = {});

/// The same from a file of at most 1 MiB.
void read_config_file(const Visit& visit, const std::string& path, const Overrides& overrides = {});

/// The complete configuration, every key in the order of visit().
nlohmann::ordered_json config_json(const Visit& visit);
/// That as the text of a file.
std::string config_text(const Visit& visit);

/// What there is to know of a field.
struct FieldInfo {
  std::string path;   ///< "train.lr"
  std::string type;   ///< "number above 0"
  std::string value;  ///< as JSON
  std::string help;
};

/// Every field that visit() visits; sections are not listed themselves.
std::vector<FieldInfo> config_fields(const Visit& visit);

}  // namespace ff::models
