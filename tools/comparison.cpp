#include "tools/comparison.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/commands.h"

namespace ff::tools {
namespace {

std::string with_sign(const std::string& name, double value) {
  return (value < 0 ? "-" : "+") + figure_text(name, std::abs(value), 3);
}

}  // namespace

std::string figure_name(std::string name) {
  for (const std::string_view unit : {"_bytes", "_seconds"})
    if (name.ends_with(unit))
      return spelled(name.substr(0, name.size() - unit.size()) + (unit == "_bytes" ? "" : "_time"));
  return spelled(std::move(name));
}

std::string spread_text(const std::string& name, const models::Spread& spread) {
  const std::string mean = figure_text(name, spread.mean, 4);
  return spread.count < 2 || spread.deviation == 0 ? mean : mean + " ± " + figure_text(name, spread.deviation, 2);
}

std::string difference_text(const std::string& name, const models::PairedDifference& difference) {
  const double mean = difference.difference.mean;
  if (!difference.half_width) return with_sign(name, mean);
  return fmt::format("{} ({} to {})", with_sign(name, mean), with_sign(name, mean - *difference.half_width),
                     with_sign(name, mean + *difference.half_width));
}

std::string caution(const Comparison& comparison) {
  if (comparison.seeds.size() < 2) return "One seed: nothing is known of what another would give.";
  return fmt::format(
      "Mean ± standard deviation over {} seeds. Differences are taken seed by seed, in brackets their 95 % interval by "
      "Student's t, which takes them for normally distributed: {} seeds cannot confirm that, and say little of small "
      "differences.",
      comparison.seeds.size(), comparison.seeds.size());
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  auto metrics = nlohmann::ordered_json::object();
  for (const Comparison::Metric& metric : comparison.metrics) {
    auto variants = nlohmann::ordered_json::object();
    for (std::size_t v = 0; v < comparison.variants.size(); ++v) {
      const models::Spread spread = metric.spread(v);
      nlohmann::ordered_json entry{
          {"values", metric.values[v]}, {"mean", spread.mean}, {"deviation", spread.deviation}};
      if (v > 0) {
        const models::PairedDifference difference = metric.difference(v);
        entry["difference"] = difference.difference.mean;
        if (difference.half_width) entry["half_width_95"] = *difference.half_width;
      }
      variants[comparison.variants[v]] = std::move(entry);
    }
    metrics[metric.name] = std::move(variants);
  }
  return {{"variants", comparison.variants}, {"seeds", comparison.seeds}, {"metrics", std::move(metrics)}};
}

}  // namespace ff::tools
