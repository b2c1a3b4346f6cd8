#include "ff/models/config.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/models/config_types.h"

namespace ff::models {

using nlohmann::ordered_json;

std::string IntegerRange::str() const {
  const IntegerRange all;
  if (min != all.min && max != all.max) return fmt::format("from {} to {}", min, max);
  if (min != all.min) return fmt::format("of at least {}", min);
  return max != all.max ? fmt::format("of at most {}", max) : "";
}

std::string NumberRange::str() const {
  std::vector<std::string> parts;
  if (std::isfinite(min)) parts.push_back(fmt::format("of at least {}", min));
  if (std::isfinite(above)) parts.push_back(fmt::format("above {}", above));
  if (std::isfinite(max)) parts.push_back(fmt::format("{}at most {}", parts.empty() ? "of " : "", max));
  if (std::isfinite(below)) parts.push_back(fmt::format("below {}", below));
  return fmt::format("{}", fmt::join(parts, " and "));
}

std::string integer_type(const IntegerRange& range) {
  const std::string bounds = range.str();
  return bounds.empty() ? "an integer" : "an integer " + bounds;
}

std::string number_type(const NumberRange& range) {
  const std::string bounds = range.str();
  return bounds.empty() ? "a number" : "a number " + bounds;
}

std::string numbers_type(const NumberRange& range, std::size_t least, std::size_t most) {
  const std::string count = least == most ? fmt::to_string(least) : fmt::format("{} to {}", least, most);
  const std::string bounds = range.str();
  return fmt::format("a list of {} numbers{}{}", count, bounds.empty() ? "" : " ", bounds);
}

std::string integers_type(const IntegerRange& range, std::size_t most) {
  const std::string bounds = range.str();
  return fmt::format("a list of at most {} integers{}{}", most, bounds.empty() ? "" : " ", bounds);
}

std::string choice_type(const std::vector<std::string>& names) {
  if (names.size() == 1) return fmt::format("\"{}\"", names[0]);
  return fmt::format("one of \"{}\"", fmt::join(names, "\", \""));
}

std::string joined_path(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

namespace {

// Writes every field into an object.
class Writer : public Fields {
 public:
  explicit Writer(ordered_json& object) : object_(object) { object_ = ordered_json::object(); }

  void integer(std::string_view key, std::int64_t& value, const IntegerRange&, std::string_view) override {
    at(key) = value;
  }
  void number(std::string_view key, double& value, const NumberRange&, std::string_view) override { at(key) = value; }
  void flag(std::string_view key, bool& value, std::string_view) override { at(key) = value; }
  void text(std::string_view key, std::string& value, std::string_view) override { at(key) = value; }
  void numbers(std::string_view key, std::vector<double>& values, const NumberRange&, std::size_t, std::size_t,
               std::string_view) override {
    at(key) = values;
  }
  void integers(std::string_view key, std::vector<std::int64_t>& values, const IntegerRange&, std::size_t,
                std::string_view) override {
    at(key) = values;
  }
  void require(bool, std::string_view, std::string_view) override {}

 private:
  void name(std::string_view key, std::size_t& index, const std::vector<std::string>& names,
            std::string_view) override {
    at(key) = names.at(index);
  }
  void object(std::string_view key, const Visit& visit, std::string_view) override {
    Writer writer(at(key));
    visit(writer);
  }
  ordered_json& at(std::string_view key) { return object_[std::string(key)]; }

  ordered_json& object_;
};

// Lists every field.
class Lister : public Fields {
 public:
  Lister(std::vector<FieldInfo>& list, std::string section) : list_(list), section_(std::move(section)) {}

  void integer(std::string_view key, std::int64_t& value, const IntegerRange& range, std::string_view help) override {
    add(key, integer_type(range), value, help);
  }
  void number(std::string_view key, double& value, const NumberRange& range, std::string_view help) override {
    add(key, number_type(range), value, help);
  }
  void flag(std::string_view key, bool& value, std::string_view help) override {
    add(key, "true or false", value, help);
  }
  void text(std::string_view key, std::string& value, std::string_view help) override { add(key, "text", value, help); }
  void numbers(std::string_view key, std::vector<double>& values, const NumberRange& range, std::size_t least,
               std::size_t most, std::string_view help) override {
    add(key, numbers_type(range, least, most), values, help);
  }
  void integers(std::string_view key, std::vector<std::int64_t>& values, const IntegerRange& range, std::size_t most,
                std::string_view help) override {
    add(key, integers_type(range, most), values, help);
  }
  void require(bool, std::string_view, std::string_view) override {}

 private:
  void name(std::string_view key, std::size_t& index, const std::vector<std::string>& names,
            std::string_view help) override {
    add(key, choice_type(names), names.at(index), help);
  }
  void object(std::string_view key, const Visit& visit, std::string_view) override {
    Lister lister(list_, joined_path(section_, key));
    visit(lister);
  }
  void add(std::string_view key, std::string type, const ordered_json& value, std::string_view help) {
    list_.push_back({joined_path(section_, key), std::move(type), value.dump(), std::string(help)});
  }

  std::vector<FieldInfo>& list_;
  std::string section_;
};

}  // namespace

ordered_json config_json(const Visit& visit) {
  ordered_json json;
  Writer writer(json);
  visit(writer);
  return json;
}

std::string config_text(const Visit& visit) { return config_json(visit).dump(2) + "\n"; }

std::vector<FieldInfo> config_fields(const Visit& visit) {
  std::vector<FieldInfo> list;
  Lister lister(list, "");
  visit(lister);
  return list;
}

}  // namespace ff::models
