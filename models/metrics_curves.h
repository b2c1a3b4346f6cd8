#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ff::models {

/// What a log of metrics says of one figure.
struct MetricsCurve {
  std::string name;                               ///< "loss"
  std::vector<std::pair<double, double>> points;  ///< step and value, as they stand in the log
};

/// Reads metrics.jsonl: a curve for each name that has numbers, in the order that they come in. What is no number (a
/// note, or null for one that was not finite) is left out, and so is a last line without an end, which is still being
/// written. Throws Error naming path and line where a line is no JSON object, its "step" no count, or a value a list or
/// an object, and where the file is larger than 1 GiB.
std::vector<MetricsCurve> read_metrics(const std::string& path);

}  // namespace ff::models
