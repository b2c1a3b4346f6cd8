// fourierformer train: from a configuration to the folder of a run.

#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/checkpoint_folder.h"
#include "ff/models/init_from.h"
#include "ff/models/run_folder.h"
#include "ff/models/trainer.h"

#include "tools/commands.h"
#include "tools/dry_run.h"
#include "tools/interrupt.h"
#include "tools/loading.h"
#include "tools/matrix_flops.h"
#include "tools/progress.h"
#include "tools/synthetic.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct TrainOptions {
  std::string config, out, resume, init_from;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> seed, steps;
  std::optional<double> max_time;
  std::int64_t profile = 0;
  bool overwrite = false, quiet = false, json = false, detect_anomaly = false, tensorboard = false, dry_run = false;

  OutputMode mode() const { return quiet ? OutputMode::quiet : json ? OutputMode::json : OutputMode::normal; }
};

models::RunConfig read_config(const TrainOptions& options) {
  models::Overrides overrides = options.overrides;
  if (options.seed) overrides.push_back(fmt::format("train.seed={}", *options.seed));
  if (options.steps) overrides.push_back(fmt::format("train.steps={}", *options.steps));
  if (options.max_time) overrides.push_back(fmt::format("train.max_seconds={}", *options.max_time));
  if (!options.init_from.empty())
    overrides.push_back(fmt::format("train.init_from={}", nlohmann::json(options.init_from).dump()));
  if (options.tensorboard) overrides.emplace_back("train.tensorboard=true");
  return read_run_config(options.config, overrides);
}

void show_start(const models::RunConfig& config, models::TrainingTask& task, const models::Trainer& trainer) {
  const std::int64_t together = config.train.accumulate;
  fmt::print("{}  {} attention, {} parameters; {} steps of {}, {} an epoch; {} thread{}\n",
             styled(STDOUT_FILENO, Style::bold, spelled(std::string(name(config.task)))),
             config.attention().attention == nn::AttentionKind::fourier ? "Fourier" : "softmax",
             with_commas(task.model().num_parameters()), with_commas(trainer.steps()),
             config.train.batch_size * together, with_commas((task.batches_per_epoch() + together - 1) / together),
             num_threads(), num_threads() == 1 ? "" : "s");
  std::fflush(stdout);
}

// Tells progress what a step computes, from the graph of a single sample, and how fast a product of matrices can be.
// Takes a few milliseconds, and leaves the random numbers of the training as they are.
void measure_flops(Progress& progress, const models::RunConfig& config, nn::Module& model) {
  constexpr std::int64_t size = 512;
  constexpr int tries = 10;
  const RandomKey state = default_generator().state();
  const auto samples = static_cast<double>(config.train.batch_size * config.train.accumulate);
  const Tensor loss = loss_of(model, config, synthetic_batch(config, model, 1));
  const double step = samples * matrix_flops(config, loss).step();
  progress.set_flops(step, peak_flops(size, tries));
  default_generator().set_state(state);
}

// What of the weights that the run starts from was taken over.
void show_init(const std::string& path, const models::InitReport& report) {
  fmt::print("{} tensors of {}\n", report.loaded.size(), path);
  for (const auto& [name, from, to, interpolated] : report.reshaped)
    fmt::print("  {}: {} there, {} here: {}\n", name, from.str(), to.str(),
               interpolated ? "interpolated" : "starts afresh");
  for (const auto& name : report.missing) fmt::print("  {}: not there, starts afresh\n", name);
  for (const auto& name : report.unexpected) fmt::print("  {}: not in this model, left out\n", name);
  std::fflush(stdout);
}

void show_end(const models::RunFolder& folder, const models::TrainResult& result) {
  const std::string steps = result.steps == 1 ? "1 step" : with_commas(result.steps) + " steps";
  const std::string done = !result.finished ? "stopped after"
                           : result.early   ? "no longer better: ended after"
                                            : styled(STDOUT_FILENO, Style::green, "trained");
  fmt::print("{} {} in {}, at most {} of memory; saved in {}\n", done, steps, duration(result.seconds),
             byte_size(static_cast<double>(models::peak_memory_bytes())), folder.path());
  if (!result.finished) fmt::print("To go on: fourierformer train --resume {}\n", folder.path());
}

// A run that is resumed is what it was.
void check_resume(const TrainOptions& options) {
  const bool others = !options.config.empty() || !options.overrides.empty() || !options.out.empty() || options.seed ||
                      options.steps || options.overwrite || options.tensorboard || !options.init_from.empty();
  if (others)
    throw UsageError(
        "train: --resume takes a run as it is; CONFIG, --set, --out, --seed, --steps, --init-from, --tensorboard and "
        "--overwrite do not go with it");
  models::RunFolder(options.resume).check_begun();
}

// The folder that a new run goes to.
models::RunFolder new_folder(const TrainOptions& options) {
  const std::string name = std::filesystem::path(options.config).stem().string();
  models::RunFolder folder(options.out.empty() ? "runs/" + name : options.out);
  folder.check_free(options.overwrite);
  return folder;
}

int run(TrainOptions& options) {
  const std::atomic<bool>& interrupted = catch_interrupts();
  const bool resumed = !options.resume.empty();
  resumed ? check_resume(options) : find_config("train", options.config, options.overrides);
  models::RunConfig config =
      resumed ? read_run_config(models::RunFolder(options.resume).config()) : read_config(options);
  if (options.dry_run) {
    dry_run(config, options.json, interrupted);
    return interrupted ? interrupt_status() : 0;
  }
  if (options.max_time) config.train.max_seconds = *options.max_time;
  const models::RunFolder folder = resumed ? models::RunFolder(options.resume) : new_folder(options);

  const auto task = models::make_training_task(config, LoadingLine(options.mode() != OutputMode::normal).listener());
  std::optional<models::InitReport> init;
  const bool begun = resumed && !models::CheckpointFolder(folder.checkpoints()).list().empty();
  if (!begun && !config.train.init_from.empty()) init = models::init_from(task->model(), config.train.init_from);
  Progress progress(options.mode(), std::string(task->items()));
  models::Trainer trainer(*task, config.train,
                          {.folder = &folder,
                           .observer = &progress,
                           .stop = &interrupted,
                           .detect_anomaly = options.detect_anomaly,
                           .profile_steps = options.profile,
                           .config = config.text()});
  if (interrupted) return interrupt_status();  // nothing has been made yet
  models::Resumed from;
  std::unique_ptr<models::NewRun> made;
  if (resumed)
    from = trainer.resume();
  else
    made = folder.create(config.text(), options.overwrite);
  for (const std::string& damaged : from.damaged)
    fmt::print(stderr, "fourierformer: {}; going on from step {}\n", damaged, from.step);
  if (options.mode() == OutputMode::normal) {
    show_start(config, *task, trainer);
    if (resumed) fmt::print("resumed after step {}\n", from.step);
    if (init) show_init(config.train.init_from, *init);
  }

  if (progress.live()) measure_flops(progress, config, task->model());
  const models::TrainResult result = trainer.run();
  progress.clear();
  if (options.mode() == OutputMode::normal) show_end(folder, result);
  if (options.mode() == OutputMode::json) fmt::print("{}\n", folder.read_summary().dump());
  return result.finished || !interrupted ? 0 : interrupt_status();  // time that is up is as asked
}

}  // namespace

Command add_train(CLI::App& program) {
  auto options = std::make_shared<TrainOptions>();
  CLI::App* command = program.add_subcommand("train", "Train a model as a configuration says");
  command->add_option("CONFIG", options->config, "The configuration, a JSON file")->type_name("FILE");
  add_set_option(*command, options->overrides);
  command->add_option("--out", options->out, "Folder for the results (default: runs/ and the name of CONFIG)")
      ->type_name("DIR");
  add_threads_option(*command);
  add_seed_option(*command, options->seed);
  add_steps_option(*command, options->steps);
  command
      ->add_option("--max-time", options->max_time,
                   "Stop after so many seconds, with a checkpoint to --resume from (train.max_seconds)")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--init-from", options->init_from,
                   "Weights to start from, for fine-tuning (train.init_from): a safetensors file, such as "
                   "tools/from_torch.py makes of PyTorch's, or a run's folder")
      ->type_name("PATH");
  command->add_flag("--overwrite", options->overwrite, "Replace the run that is in the folder");
  CLI::Option* quiet = command->add_flag("--quiet", options->quiet, "Print nothing but errors");
  command->add_flag("--json", options->json, "Print what is measured as JSON, an object a line")->excludes(quiet);
  command->add_flag("--tensorboard", options->tensorboard,
                    "Write what is measured for TensorBoard as well, into the run's folder (train.tensorboard)");
  command->add_flag("--detect-anomaly", options->detect_anomaly,
                    "Stop at the first NaN or infinity, forward or backward, and name the op and the line it comes "
                    "from (slower)");
  command
      ->add_option("--profile", options->profile,
                   "Record so many steps, after a few to warm up: print by op where the time goes, and write a trace, "
                   "profile.json, for chrome://tracing or ui.perfetto.dev")
      ->type_name("STEPS")
      ->check(CLI::Range(1, 1000));
  command
      ->add_flag("--dry-run", options->dry_run,
                 "Make two updates and say what the run will take, in time and memory; nothing is written. Random data "
                 "takes the place of data that cannot be used")
      ->excludes(quiet)
      ->excludes("--profile");
  command->footer(
      "Examples:\n"
      "  fourierformer train fashion_mnist --out runs/fashion\n"
      "  fourierformer train models/configs/jargon.json --set model.attention=softmax train.lr=0.0005\n"
      "  fourierformer train --resume runs/fashion\n"
      "  fourierformer train fashion_mnist --profile 5\n"
      "  fourierformer train deit_tiny --set train.batch_size=8 --dry-run\n"
      "\n"
      "fourierformer info CONFIG lists all settings, and what they mean. Ctrl-C ends a run and keeps what it has so "
      "far: exit status 130.");
  command->add_option("--resume", options->resume, "Go on with a run that was stopped, where it was, instead of CONFIG")
      ->type_name("DIR");
  group(*command, "What is trained", {"--set", "--seed", "--steps", "--max-time", "--init-from", "--resume"});
  group(*command, "Where it goes", {"--out", "--overwrite", "--tensorboard"});
  group(*command, "What is shown", {"--quiet", "--json", "--dry-run", "--detect-anomaly", "--profile"});
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
