#include "ff/models/metrics_curves.h"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff::models {
namespace {

constexpr const char* op = "metrics";

void add_record(std::string_view line, const std::string& where, std::vector<MetricsCurve>& curves) {
  const auto record = nlohmann::ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
  check(!record.is_discarded() && record.is_object(), op, "{}: not a JSON object", where);
  check(record.contains("step") && record["step"].is_number_unsigned(), op, "{}: \"step\" is no count", where);
  const auto step = record["step"].get<double>();
  for (const auto& [name, value] : record.items()) {
    check(!value.is_structured(), op, "{}: \"{}\" is no number", where, name);
    if (name == "step" || !value.is_number()) continue;
    auto curve = std::find_if(curves.begin(), curves.end(), [&, &key = name](const auto& c) { return c.name == key; });
    if (curve == curves.end()) curve = curves.insert(curve, {name, {}});
    curve->points.emplace_back(step, value.get<double>());
  }
}

}  // namespace

std::vector<MetricsCurve> read_metrics(const std::string& path) {
  const std::string text = io::read_file(path, std::uint64_t{1} << 30);
  std::vector<MetricsCurve> curves;
  std::size_t line = 1;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1, ++line)
    add_record(std::string_view(text).substr(begin, end - begin), fmt::format("{}: line {}", path, line), curves);
  return curves;
}

}  // namespace ff::models
