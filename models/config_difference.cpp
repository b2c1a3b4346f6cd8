#include "ff/models/config_difference.h"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"

namespace ff::models {
namespace {

using nlohmann::json;

// Every value by its path, "train.lr"; a list is a value.
void collect(const json& value, const std::string& path, std::map<std::string, std::string>& values) {
  if (!value.is_object()) {
    values[path] = value.dump();
    return;
  }
  for (const auto& [key, inner] : value.items()) collect(inner, path.empty() ? key : path + "." + key, values);
}

std::map<std::string, std::string> values_of(std::string_view text) {
  std::map<std::string, std::string> values;
  try {
    collect(json::parse(text), "", values);
  } catch (const json::exception& error) {
    fail("config", "not JSON: {}", error.what());
  }
  return values;
}

}  // namespace

std::vector<std::string> config_differences(std::string_view there, std::string_view here,
                                            const std::vector<std::string>& ignored) {
  const auto a = values_of(there), b = values_of(here);
  std::map<std::string, std::string> all = a;
  all.insert(b.begin(), b.end());
  std::vector<std::string> differences;
  for (const auto& item : all) {
    const std::string& key = item.first;
    const auto in_a = a.find(key), in_b = b.find(key);
    const std::string of_a = in_a == a.end() ? "nothing" : in_a->second;
    const std::string of_b = in_b == b.end() ? "nothing" : in_b->second;
    if (of_a == of_b || std::find(ignored.begin(), ignored.end(), key) != ignored.end()) continue;
    differences.push_back(fmt::format("{}: {} there, {} here", key, of_a, of_b));
  }
  return differences;
}

}  // namespace ff::models
