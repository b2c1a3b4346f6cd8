// fourierformer analyze: what the heads of a trained model's attention do.

#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/io/file.h"
#include "ff/models/analysis.h"
#include "ff/models/run_folder.h"

#include "tools/analysis_pictures.h"
#include "tools/commands.h"
#include "tools/picture.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct Options {
  std::string folder, out, heads;
  std::vector<std::string> overrides;
  models::AnalysisOptions analysis;
  bool json = false;
};

void show(const models::Analysis& analysis) {
  const char* unit = analysis.patches ? "patches" : "tokens";
  fmt::print("attention on {} held-out samples; distances of attention in {}\n", analysis.samples, unit);
  fmt::print("{}\n", styled(STDOUT_FILENO, Style::bold,
                            fmt::format("{:<20}{:>15}{:>12}{:>12}{:>12}{:>16}", "layer", "head distance", "entropy",
                                        "distance", "eff. rank", "R")));
  auto row = [](const std::string& name, double heads, const models::HeadAnalysis& mean, const std::string& radius) {
    fmt::print("{:<20}{:>15.4g}{:>12.4g}{:>12.4g}{:>12.4g}{:>16}\n", name, heads, mean.entropy, mean.distance,
               mean.effective_rank, radius);
  };
  for (const models::LayerAnalysis& layer : analysis.layers) {
    std::string radius = "-";
    if (layer.radius.defined()) {
      const double low = min(layer.radius).item<double>(), high = max(layer.radius).item<double>();
      radius = low == high ? fmt::format("{:.4g}", low) : fmt::format("{:.4g} .. {:.4g}", low, high);
    }
    models::Analysis alone;
    alone.layers = {layer};
    row(layer.name, layer.head_distance, alone.mean(), radius);
  }
  row("mean", analysis.head_distance(), analysis.mean(), "");
}

void write_pictures(const Options& options, const models::RunConfig& config, const models::Analysis& analysis,
                    const std::vector<HeadChoice>& heads) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) throw std::runtime_error(fmt::format("{}: cannot be made: {}", options.out, error.message()));
  auto write = [&](const std::string& name, const std::string& svg) {
    io::write_file(fmt::format("{}/{}.svg", options.out, name), svg_file(svg));
  };
  for (const auto& [name, chart] : analysis_charts({{.name = options.folder, .analysis = &analysis}}))
    write(name, chart_svg(chart));
  write("attention_maps", maps_svg(analysis, heads, shown_image(config, analysis.shown)));
}

int run(const Options& options) {
  const models::RunFolder folder(options.folder);
  folder.check_complete();
  const models::RunConfig config = read_run_config(folder.config(), options.overrides);
  const auto task = models::load_trained_task(config, folder);
  const models::Analysis analysis = models::analyze(*task, options.analysis);
  const std::vector<HeadChoice> heads = choose_heads(analysis, options.heads);
  const nlohmann::ordered_json json = models::analysis_json(analysis);
  io::write_file(folder.analysis(), json.dump(2) + "\n");
  if (!options.out.empty()) write_pictures(options, config, analysis, heads);
  if (options.json)
    fmt::print("{}\n", json.dump());
  else
    show(analysis);
  return 0;
}

}  // namespace

Command add_analyze(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("analyze", "Look at what the heads of a trained model's attention do");
  command->add_option("DIR", options->folder, "Folder of a run; analysis.json is written there")
      ->type_name("")
      ->required();
  add_samples_option(*command, options->analysis.samples);
  command->add_option("--out", options->out, "Folder for pictures (SVG): figures by layer, and attention maps")
      ->type_name("DIR");
  command->add_option("--sample", options->analysis.shown, "Which of the samples the maps are of, counted from 0")
      ->capture_default_str()
      ->type_name("I")
      ->check(CLI::NonNegativeNumber);
  add_heads_option(*command, options->heads);
  add_set_option(*command, options->overrides);
  add_threads_option(*command);
  command->add_flag("--json", options->json, "Print a JSON object");
  group(*command, "Where it goes", {"--out", "--json"});
  command->footer(
      "Examples:\n"
      "  fourierformer analyze runs/fashion\n"
      "  fourierformer analyze runs/fashion --out runs/fashion/pictures --heads 0.0,0.1,3.0,3.1\n"
      "\n"
      "Head distance: mean L2 distance between the outputs of two heads at a position. Entropy: of the weights, in "
      "nats. Distance: from a query to what it sees, by the weights. Effective rank: of a head's outputs.");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
