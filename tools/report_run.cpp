#include "tools/report_run.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/core/error.h"
#include "ff/core/io/file.h"
#include "ff/models/data_loader.h"
#include "ff/models/language/generate.h"
#include "ff/models/language/task.h"
#include "ff/models/vision/task.h"

#include "tools/commands.h"
#include "tools/picture.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

constexpr std::size_t first_examples = 8, wrong_examples = 8;
constexpr std::int64_t most_classes = 100;  // that a matrix of them is shown

ExampleImage example(const models::VisionConfig& config, const Tensor& image, std::int64_t label,
                     std::int64_t predicted, double probability) {
  return {png_uri(image_pixels(image, config.data.transform.mean, config.data.transform.std)), label, predicted,
          probability};
}

std::vector<std::string> class_names(const models::RunFolder& folder) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(folder.classes())) return names;
  std::istringstream lines(io::read_file(folder.classes()));
  for (std::string line; std::getline(lines, line);) names.push_back(printable(line));
  return names;
}

Classification classify(models::VisionTask& task, const models::VisionConfig& config, std::int64_t most) {
  Classification result{.images = 0, .classes = config.model.classes, .names = {}, .counts = {}, .examples = {}};
  result.counts.resize(static_cast<std::size_t>(result.classes * result.classes));
  std::vector<ExampleImage> wrong;  // by falling probability
  task.model().eval();
  NoGrad no_grad;
  models::DataLoader loader(task.test_data(), {.end_epoch = 1});
  while (const auto batch = loader.next()) {
    const Tensor shares = softmax(task.model()(batch->inputs), 1);
    const auto classes = argmax(shares, 1).to_vector<std::int64_t>(), labels = batch->targets.to_vector<std::int64_t>();
    const auto best = amax(shares, {1}).to_vector<double>();
    for (std::size_t i = 0; i < labels.size() && result.images < most; ++i, ++result.images) {
      ++result.counts[static_cast<std::size_t>(labels[i] * result.classes + classes[i])];
      auto make = [&] {
        const Tensor image = select(batch->inputs, 0, static_cast<std::int64_t>(i));
        return example(config, image, labels[i], classes[i], best[i]);
      };
      if (result.examples.size() < first_examples) {
        result.examples.push_back(make());
        continue;
      }
      if (labels[i] == classes[i] || (wrong.size() == wrong_examples && best[i] <= wrong.back().probability)) continue;
      const auto less = [](double p, const ExampleImage& other) { return p > other.probability; };
      wrong.insert(std::upper_bound(wrong.begin(), wrong.end(), best[i], less), make());
      if (wrong.size() > wrong_examples) wrong.pop_back();
    }
    if (result.images == most) break;
  }
  std::move(wrong.begin(), wrong.end(), std::back_inserter(result.examples));
  return result;
}

// The tokens of a text that a model was shown, (1, N), up to the end of a word.
std::string beginning(const models::Vocabulary& vocabulary, const Tensor& tokens) {
  const std::size_t most = vocabulary.kind() == models::TokenKind::bytes ? 48 : 10;
  std::vector<std::int64_t> first = tokens.to_vector<std::int64_t>();
  first.resize(std::min(first.size(), most));
  std::string text = vocabulary.decode(first);
  if (const std::size_t space = text.find_last_of(" \n"); space != std::string::npos && space > 0) text.resize(space);
  return text;
}

std::vector<TextSample> write_texts(const models::RunFolder& folder, const ReportOptions& options,
                                    const Tensor& shown) {
  const auto [vocabulary, model] = models::load_language_model(folder);
  const std::string prompt = options.prompt.empty() ? beginning(vocabulary, shown) : options.prompt;
  std::vector<TextSample> texts;
  for (const double temperature : {0.5, 0.8}) {
    const std::string text = models::generate(
        *model, vocabulary, prompt, {.max_tokens = options.text_tokens, .sampling = {.temperature = temperature}});
    texts.push_back({printable(prompt) + (apart(vocabulary, prompt, text) ? " " : ""), printable(text)});
  }
  return texts;
}

void look_into_model(const models::RunFolder& folder, const models::RunConfig& config, const ReportOptions& options,
                     RunReport& report) {
  const auto task = models::load_trained_task(config, folder);
  report.analysis = models::analyze(*task, options.analysis);
  report.maps = maps_svg(*report.analysis, choose_heads(*report.analysis, options.heads),
                         shown_image(config, report.analysis->shown));
  if (auto* vision = dynamic_cast<models::VisionTask*>(task.get());
      vision != nullptr && config.vision.model.classes <= most_classes) {
    report.classification = classify(*vision, config.vision, options.images);
    report.classification->names = class_names(folder);
  }
  if (config.task == models::Task::language) report.texts = write_texts(folder, options, report.analysis->shown);
}

}  // namespace

std::string last_part(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole.filename() : whole.parent_path().filename()).string();
}

std::string Classification::name(std::int64_t label) const {
  const auto i = static_cast<std::size_t>(label);
  return i < names.size() ? names[i] : std::to_string(label);
}

std::string RunReport::setting(const std::string& path) const {
  for (const models::FieldInfo& field : settings)
    if (field.path == path) return field.value;
  return "";
}

RunReport read_run(const std::string& path, const ReportOptions& options) {
  const models::RunFolder folder(path);
  folder.check_complete();
  RunReport report;
  report.name = last_part(path);
  report.folder = folder.path();
  models::RunConfig config = read_run_config(folder.config());
  report.settings = models::config_fields([&](models::Fields& fields) { config.visit(fields); });
  report.summary = nlohmann::ordered_json::object();
  if (std::filesystem::exists(folder.summary())) report.summary = folder.read_summary();
  report.curves = models::read_metrics(folder.metrics());
  if (!options.model) return report;
  try {
    look_into_model(folder, config, options, report);
  } catch (const Error& error) {
    report.problem = error.what();
  }
  return report;
}

}  // namespace ff::tools
