#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "ff/models/statistics.h"

/// Variants of a model, each trained from the same seeds.
namespace ff::tools {

struct Comparison {
  /// What was measured of each run: values[variant][seed].
  struct Metric {
    std::string name;  ///< as in summary.json
    std::vector<std::vector<double>> values;

    models::Spread spread(std::size_t variant) const { return models::spread(values[variant]); }
    /// Of a variant and the first, seed by seed.
    models::PairedDifference difference(std::size_t variant) const {
      return models::paired_difference(values[0], values[variant]);
    }
  };

  std::vector<std::string> variants;
  std::vector<std::int64_t> seeds;
  std::vector<Metric> metrics;
};

/// "peak_memory_bytes" as it stands beside a figure_text(), which has the unit: "peak memory".
std::string figure_name(std::string name);
/// "0.8928 ± 0.0021", by the metric's name; without ± where there is one seed alone.
std::string spread_text(const std::string& name, const models::Spread& spread);
/// "+0.0102 (-0.0031 to +0.0235)", the second the confidence interval where there is one.
std::string difference_text(const std::string& name, const models::PairedDifference& difference);
/// How far the intervals go: of so few seeds.
std::string caution(const Comparison& comparison);

nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace ff::tools
