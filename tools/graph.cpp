// fourierformer graph: the graph of one training step of a configuration's model, as a page to look at.

#include "ff/autograd/graph.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "ff/core/io/file.h"
#include "ff/core/random.h"

#include "tools/commands.h"
#include "tools/synthetic.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct GraphOptions {
  std::string config, out, format;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> seed;
  std::int64_t batch = 2;
  bool backward = true;
};

// The format asked for, or that of the file's name.
std::string format_of(const GraphOptions& options) {
  if (!options.format.empty()) return options.format;
  const std::string suffix = std::filesystem::path(options.out).extension().string();
  if (options.out.empty() || suffix == ".html" || suffix == ".htm") return "html";
  if (suffix == ".dot" || suffix == ".gv") return "dot";
  if (suffix == ".json") return "json";
  throw UsageError(fmt::format("graph: the name {} does not tell the format: --format html, dot or json", options.out));
}

// Where it goes; "-" is stdout. What is made for other programs goes there unless told otherwise.
std::string place_of(const GraphOptions& options, const std::string& format) {
  if (!options.out.empty()) return options.out;
  return format == "html" ? std::filesystem::path(options.config).stem().string() + ".graph.html" : "-";
}

std::string written_as(const std::string& format, const autograd::Graph& graph, const std::string& title) {
  if (format == "dot") return autograd::to_dot(graph);
  if (format == "json") return autograd::to_json(graph);
  return autograd::to_html(graph, title);
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw std::runtime_error("stdout cannot be written");
}

int run(GraphOptions& options) {
  find_config("graph", options.config, options.overrides);
  const std::string format = format_of(options), place = place_of(options, format);
  if (options.seed) options.overrides.push_back(fmt::format("train.seed={}", *options.seed));
  const models::RunConfig config = read_run_config(options.config, options.overrides);
  manual_seed(static_cast<std::uint64_t>(config.train.seed));
  const auto model = make_model(config);
  const Tensor loss = loss_of(*model, config, synthetic_batch(config, *model, options.batch));
  const autograd::Graph graph = autograd::explain(loss, {.names = model->parameters(), .gradients = options.backward});
  const std::string text =
      written_as(format, graph, "Graph of " + std::filesystem::path(options.config).filename().string());
  if (place == "-") {
    print(text);
    return 0;
  }
  io::OutputFile file(place, "graph");
  file.write(text);
  file.commit();
  fmt::print("{}: {} nodes, {} parameters, {} saved for backward\n", styled(STDOUT_FILENO, Style::bold, place),
             with_commas(static_cast<std::int64_t>(graph.nodes.size())), with_commas(model->num_parameters()),
             byte_size(static_cast<double>(graph.saved_bytes)));
  return 0;
}

}  // namespace

Command add_graph(CLI::App& program) {
  auto options = std::make_shared<GraphOptions>();
  CLI::App* command = program.add_subcommand("graph", "Show the graph of a model: what backward goes through");
  command->add_option("CONFIG", options->config, "The configuration, a JSON file; its data is not needed")
      ->type_name("FILE");
  add_set_option(*command, options->overrides);
  command
      ->add_option(
          "--out", options->out,
          "File to write, - for stdout (default: the name of CONFIG with .graph.html; stdout for dot and json)")
      ->type_name("FILE");
  command->add_option("--format", options->format, "html (a page), dot (Graphviz) or json; default: as --out says")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"html", "dot", "json"}));
  command->add_option("--batch", options->batch, "Images, series or texts of random data to compute with (default: 2)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  command->add_flag("--backward,!--no-backward", options->backward, "Compute gradients, too (the default)");
  add_seed_option(*command, options->seed);
  add_threads_option(*command);
  group(*command, "What is shown", {"--set", "--batch", "--backward", "--seed"});
  group(*command, "Where it goes", {"--out", "--format"});
  command->footer(
      "Examples:\n"
      "  fourierformer graph models/configs/toy_vision.json\n"
      "  fourierformer graph models/configs/toy_language.json --set model.layers=1 --format dot | dot -Tsvg > "
      "graph.svg");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
