// fourierformer eval: the figures of a trained model.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/autograd/grad_mode.h"
#include "ff/models/run_folder.h"
#include "ff/models/training_task.h"

#include "tools/commands.h"

namespace ff::tools {
namespace {

struct EvalOptions {
  std::string folder;
  std::vector<std::string> overrides;
  bool json = false;
};

int run(const EvalOptions& options) {
  const models::RunFolder folder(options.folder);
  folder.check_complete();
  const models::RunConfig config = read_run_config(folder.config(), options.overrides);
  const auto task = models::load_trained_task(config, folder);
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
  nlohmann::ordered_json noticed;
  task->report(noticed);
  for (const auto& [name, value] : noticed.items()) {
    json[name] = value;
    if (!options.json) fmt::print("{:<20}{}\n", spelled(name), value.dump());
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
  command->add_flag("--json", options->json, "Print a JSON object");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
