#include "tools/variants.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/models/run_folder.h"

#include "tools/commands.h"

namespace ff::tools {
namespace {

namespace fs = std::filesystem;

// "a,[b,c]" as "a" and "[b,c]".
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted) depth += (c == '[') - (c == ']');
    if (c == ',' && depth == 0 && !quoted)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// A word as it is, another value with its key: "softmax", "lr0.01".
std::string name_of(const std::string& key, const std::string& value) {
  const bool word =
      !value.empty() && std::isalpha(static_cast<unsigned char>(value[0])) != 0 && value != "true" && value != "false";
  std::string name = word ? value : key.substr(key.rfind('.') + 1) + value;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-') c = '_';
  return name;
}

std::vector<models::FieldInfo> settings(models::RunConfig config) {
  return models::config_fields([&](models::Fields& fields) { config.visit(fields); });
}

}  // namespace

std::vector<Variant> variants_of(const std::vector<std::string>& vary) {
  std::vector<Variant> variants(1);
  std::vector<std::string> keys;
  for (const std::string& text : vary) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--vary takes KEY=VALUE,VALUE,..; \"{}\" is none", text));
    const std::string key = text.substr(0, equals);
    if (key == "train.seed") throw UsageError("--vary train.seed: seeds are what variants share; see --seeds");
    if (std::find(keys.begin(), keys.end(), key) != keys.end())
      throw UsageError(fmt::format("--vary {} comes twice", key));
    keys.push_back(key);
    std::vector<Variant> longer;
    for (const Variant& variant : variants)
      for (const std::string& value : split(text.substr(equals + 1))) {
        Variant next = variant;
        next.name += (next.name.empty() ? "" : "-") + name_of(key, value);
        next.overrides.push_back(key + "=" + value);
        longer.push_back(std::move(next));
      }
    variants = std::move(longer);
  }
  for (std::size_t i = 0; i < variants.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (variants[i].name == variants[k].name)
        throw UsageError(fmt::format("two variants are called {}", variants[i].name));
  if (variants.size() < 2) throw UsageError("--vary: at least two values are needed to compare");
  return variants;
}

RunState state_of(const std::string& path, const models::RunConfig& config) {
  const models::RunFolder folder(path);
  if (!fs::exists(folder.config())) return RunState::none;
  const auto wanted = settings(config), there = settings(models::RunConfig::read(folder.config()));
  for (const models::FieldInfo& field : wanted) {
    const auto same = std::find_if(there.begin(), there.end(), [&](auto& other) { return other.path == field.path; });
    check(same != there.end() && same->value == field.value, "compare",
          "{}: holds another run: {} is {} there, {} here; name another folder (--out)", path, field.path,
          same == there.end() ? "nothing" : same->value, field.value);
  }
  if (!fs::exists(folder.summary())) return RunState::begun;
  return folder.read_summary()["finished"] == true ? RunState::finished : RunState::begun;
}

}  // namespace ff::tools
