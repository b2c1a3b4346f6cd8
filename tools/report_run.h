#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "ff/models/analysis.h"
#include "ff/models/config.h"
#include "ff/models/metrics_curves.h"
#include "ff/models/run_folder.h"

#include "tools/analysis_pictures.h"

/// What a report shows of a run.
namespace ff::tools {

struct ReportOptions {
  models::AnalysisOptions analysis;
  std::string heads;               ///< see choose_heads()
  std::string prompt;              ///< of texts; empty: the beginning of a held-out text
  std::int64_t text_tokens = 200;  ///< to write
  std::int64_t images = 2000;      ///< test images to classify, the first ones
  bool model = true;               ///< show what needs the model and its data, too
};

/// A test image and what it was taken for.
struct ExampleImage {
  std::string picture;  ///< a data: URI
  std::int64_t label = 0, predicted = 0;
  double probability = 0;  ///< that the model gives to what it predicted
};

/// How test images are classified.
struct Classification {
  std::int64_t images = 0, classes = 0;
  std::vector<std::string> names;      ///< of the classes, which are numbered where they have none
  std::vector<std::int64_t> counts;    ///< (classes, classes): of each label, what it was taken for
  std::vector<ExampleImage> examples;  ///< the first ones, and those that the model was most wrong about

  std::int64_t count(std::int64_t label, std::int64_t predicted) const {
    return counts[static_cast<std::size_t>(label * classes + predicted)];
  }
  std::string name(std::int64_t label) const;
};

struct TextSample {
  std::string prompt, text;
};

struct RunReport {
  std::string name, folder;
  std::vector<models::FieldInfo> settings;
  nlohmann::ordered_json summary;  ///< an object, empty where there is none
  std::vector<models::MetricsCurve> curves;
  // Of the model:
  std::optional<models::Analysis> analysis;
  std::string maps;  ///< <svg>
  std::optional<Classification> classification;
  std::vector<TextSample> texts;
  std::string problem;  ///< why the model is not shown, or not all of it

  /// The value of a setting, JSON; empty where there is none.
  std::string setting(const std::string& path) const;
};

/// Reads a run, and has its model analysed, classify and write. What cannot be shown of the model, such as for want of
/// its data, is told in RunReport::problem. Throws Error where the folder is no run, or a file in it is damaged, and
/// UsageError for heads that are not there.
RunReport read_run(const std::string& path, const ReportOptions& options);

/// The end of a path: "a" of "runs/a/".
std::string last_part(const std::string& path);

}  // namespace ff::tools
