// fourierformer eval: the figures of a trained model.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/grad_mode.h"
#include "ff/models/run_folder.h"
#include "ff/models/training_task.h"

#include "tools/commands.h"
#include "tools/loading.h"

namespace ff::tools {
namespace {

struct EvalOptions {
  std::string folder;
  std::vector<std::string> overrides;
  bool json = false, best = false;
};

int run(const EvalOptions& options) {
  const models::RunFolder run_folder(options.folder);
  const models::RunFolder folder = options.best ? run_folder.with_best_model() : run_folder;
  folder.check_complete();
  const models::RunConfig config = read_run_config(folder.config(), options.overrides);
  const auto task = models::load_trained_task(config, folder, LoadingLine(options.json).listener());
  task->model().eval();
  NoGrad no_grad;
  const auto never = [] { return false; };
  models::Figures figures = task->evaluate(never);
  const models::Figures tested = task->test(never).value();
  figures.insert(figures.end(), tested.begin(), tested.end());
  nlohmann::ordered_json json;
  for (const auto& [name, value] : figures) {
    json[name] = value;
    if (!options.json) fmt::print("{:<20}{:.6g}\n", spelled(name), value);
  }
  if (options.json) fmt::print("{}\n", json.dump());
  return 0;
}

}  // namespace

Command add_eval(CLI::App& program) {
  auto options = std::make_shared<EvalOptions>();
  CLI::App* command = program.add_subcommand("eval", "Evaluate a trained model on its test data");
  command->add_option("DIR", options->folder, "Folder of a run")->type_name("")->required();
  add_set_option(*command, options->overrides);
  add_threads_option(*command);
  command->add_flag("--best", options->best, "The model of the best evaluation (train.metric), not the last one");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->footer(
      "Examples:\n"
      "  fourierformer eval runs/fashion\n"
      "  fourierformer eval runs/jargon --set data.evaluation_stride=16 --json");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
