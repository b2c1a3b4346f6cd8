// fourierformer train --dry-run: what a run will take, from its first two updates.

#include "tools/dry_run.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/autograd/grad_mode.h"
#include "ff/core/allocator.h"
#include "ff/core/error.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/init_from.h"
#include "ff/models/trainer.h"

#include "tools/commands.h"
#include "tools/matrix_flops.h"
#include "tools/synthetic.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

constexpr int updates = 2, evaluated_batches = 2;

double in_use() { return static_cast<double>(memory_stats().in_use); }

// The bytes of tensors, each storage once.
std::vector<Tensor> tensors_of(const TensorMap& state) {
  std::vector<Tensor> tensors;
  for (const auto& [name, tensor] : state) tensors.push_back(tensor);
  return tensors;
}

double bytes_of(const std::vector<Tensor>& tensors) {
  std::set<const Storage*> seen;
  double bytes = 0;
  for (const Tensor& tensor : tensors)
    if (tensor.defined() && seen.insert(tensor.storage().get()).second)
      bytes += static_cast<double>(tensor.storage()->bytes());
  return bytes;
}

// Training on one batch of random data, again and again.
class SyntheticTask : public models::TrainingTask {
 public:
  explicit SyntheticTask(const models::RunConfig& config)
      : config_(config),
        model_(make_model(config)),
        batch_(synthetic_batch(config, *model_, config.train.batch_size)) {}

  nn::Module& model() override { return *model_; }
  std::string_view items() const override {
    if (config_.task == models::Task::time_series) return "series";
    return config_.task == models::Task::vision ? "images" : "tokens";
  }
  std::int64_t batches_per_epoch() const override { return 1; }
  void seek(std::int64_t) override {}
  models::BatchLoss next_loss() override { return {loss_of(*model_, config_, batch_), batch_.count}; }
  models::Figures evaluate(const std::function<bool()>& stopped) override {
    while (!stopped()) loss_of(*model_, config_, batch_);
    return {};
  }

 private:
  const models::RunConfig& config_;
  std::unique_ptr<nn::Module> model_;
  models::Batch batch_;
};

// Another task, looked at while a Trainer works on it: what is in use around each forward pass, and what each update
// takes, of which there are two.
class WatchedTask : public models::TrainingTask, public models::TrainObserver {
 public:
  WatchedTask(TrainingTask& task, const std::atomic<bool>& interrupted) : task_(task), interrupted_(interrupted) {}

  nn::Module& model() override { return task_.model(); }
  std::string_view items() const override { return task_.items(); }
  std::int64_t batches_per_epoch() const override { return task_.batches_per_epoch(); }
  void seek(std::int64_t) override {}  // any batch will do
  models::BatchLoss next_loss() override {
    const double before = in_use();
    models::BatchLoss loss = task_.next_loss();
    activations = std::max(activations, in_use() - before);
    return loss;
  }
  models::Figures evaluate(const std::function<bool()>&) override {
    int batches = 0;
    task_.evaluate([&] { return batches++ == evaluated_batches || interrupted_; });
    return {};
  }
  void on_step(const models::TrainStep& step) override {
    std::vector<Tensor> grads;
    for (const auto& [name, parameter] : model().parameters()) grads.push_back(parameter.grad());
    gradients = bytes_of(grads);
    seconds = std::min(seconds, step.step_seconds);
    items_of_step = step.items;
    stop = step.step >= updates || interrupted_;
  }

  double activations = 0, gradients = 0, seconds = INFINITY;
  std::int64_t items_of_step = 0;
  std::atomic<bool> stop = false;

 private:
  TrainingTask& task_;
  const std::atomic<bool>& interrupted_;
};

// Bytes of memory by what they are for.
struct MemoryParts {
  double program = 0, data = 0, weights = 0, gradients = 0, optimizer = 0, activations = 0;
  double peak = 0;  // of all of it together

  // What ops take beside that, and blocks that the allocator keeps for reuse. Gradients come as activations go: the
  // peak may be less than the sum.
  double workspace() const {
    return std::max(0.0, peak - (program + data + weights + gradients + optimizer + activations));
  }

  std::vector<std::pair<const char*, double>> list() const {
    return {{"program", program},      {"data", data},           {"weights", weights},
            {"gradients", gradients},  {"optimizer", optimizer}, {"activations", activations},
            {"workspace", workspace()}};
  }
};

struct Estimate {
  std::int64_t parameters = 0, items = 0;  // items: of an update
  std::int64_t steps = 0;                  // of the whole run; 0: the data would tell
  std::string unit, data_error;            // data_error: why the data is random; else empty
  double flops = 0, seconds = 0;           // of an update
  MemoryParts memory;
};

Estimate estimate(const models::RunConfig& config, const std::atomic<bool>& interrupted) {
  Estimate result;
  result.memory.program = static_cast<double>(models::peak_memory_bytes());
  std::unique_ptr<models::TrainingTask> task;
  try {
    task = models::make_training_task(config);
  } catch (const Error& error) {
    result.data_error = error.what();
    empty_cache();  // of what was read in vain
    manual_seed(static_cast<std::uint64_t>(config.train.seed));
    task = std::make_unique<SyntheticTask>(config);
  }
  nn::Module& model = task->model();
  if (!config.train.init_from.empty()) models::init_from(model, config.train.init_from);
  model.train();
  const auto shared = static_cast<double>(config.train.accumulate);
  result.parameters = model.num_parameters();
  result.unit = task->items();
  std::vector<Tensor> state;
  for (const NamedTensors& tensors : {model.parameters(), model.buffers()})
    for (const auto& [name, tensor] : tensors) state.push_back(tensor);
  result.memory.weights = bytes_of(state);
  result.memory.data = std::max(0.0, in_use() - result.memory.weights);

  result.flops = shared * matrix_flops(config, task->next_loss().mean).step();

  WatchedTask watched(*task, interrupted);
  models::Trainer trainer(watched, config.train, {.observer = &watched, .stop = &watched.stop});
  trainer.run();
  const bool steps_known = result.data_error.empty() || config.train.steps > 0;
  result.steps = steps_known ? trainer.steps() : 0;
  result.items = watched.items_of_step;
  result.seconds = watched.seconds;
  result.memory.gradients = watched.gradients;
  std::vector<Tensor> remembered = tensors_of(trainer.optimizer().state_dict());
  if (trainer.average())
    for (const Tensor& average : tensors_of(trainer.average()->state_dict())) remembered.push_back(average);
  result.memory.optimizer = bytes_of(remembered);
  result.memory.activations = watched.activations;
  {
    model.eval();
    const NoGrad no_grad;
    watched.evaluate({});
  }
  const double to_come = task->bytes_to_come();
  result.memory.data += to_come;
  result.memory.peak = static_cast<double>(models::peak_memory_bytes()) + to_come;
  return result;
}

void show_json(const Estimate& e, std::int64_t batch) {
  nlohmann::ordered_json memory;
  for (const auto& [name, bytes] : e.memory.list()) memory[name] = static_cast<std::int64_t>(bytes);
  nlohmann::ordered_json line{{"data", e.data_error.empty() ? "own" : "random"},
                              {"parameters", e.parameters},
                              {"batch", batch},
                              {"items", e.unit},
                              {"items_per_step", e.items},
                              {"threads", num_threads()},
                              {"matrix_flops", e.flops},
                              {"step_seconds", e.seconds},
                              {"memory_bytes", memory},
                              {"peak_memory_bytes", static_cast<std::int64_t>(e.memory.peak)}};
  if (!e.data_error.empty()) line["data_error"] = e.data_error;
  if (e.steps > 0) line["steps"] = e.steps, line["training_seconds"] = static_cast<double>(e.steps) * e.seconds;
  fmt::print("{}\n", line.dump());
}

void show(const Estimate& e, const models::RunConfig& config) {
  const auto row = [](std::string_view name, const std::string& value) { fmt::print("{:<24}{}\n", name, value); };
  fmt::print("{}  {} parameters; batches of {}; {} thread{}; nothing is written\n",
             styled(STDOUT_FILENO, Style::bold, "dry run"), with_commas(e.parameters), config.train.batch_size,
             num_threads(), num_threads() == 1 ? "" : "s");
  row("data", e.data_error.empty() ? "the configuration's own"
                                   : fmt::format("random {}, for the configuration's own cannot be used: {}", e.unit,
                                                 printable(one_line(e.data_error))));
  row("matrix products", fmt::format("{:.4g} GFLOP a step", e.flops / 1e9));
  row("step", fmt::format("{:.1f} ms, {} {}/s", 1e3 * e.seconds, short_number(static_cast<double>(e.items) / e.seconds),
                          e.unit));
  if (e.steps > 0)
    row("run", fmt::format("{} steps, about {} without evaluation", with_commas(e.steps),
                           duration(static_cast<double>(e.steps) * e.seconds)));
  for (const auto& [name, bytes] : e.memory.list()) row(name, fmt::format("{:>10}", byte_size(bytes)));
  row("memory, at most",
      fmt::format("{:>10}{}", byte_size(e.memory.peak), e.data_error.empty() ? "" : ", and what the data takes"));
}

}  // namespace

void dry_run(const models::RunConfig& config, bool json, const std::atomic<bool>& interrupted) {
  const Estimate result = estimate(config, interrupted);
  if (interrupted) return;
  json ? show_json(result, config.train.batch_size) : show(result, config);
}

}  // namespace ff::tools
