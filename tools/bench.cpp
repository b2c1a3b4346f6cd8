// fourierformer bench: how fast a configuration's model is trained, and how much of the machine that takes.

#include <algorithm>
#include <chrono>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "ff/autograd/engine.h"
#include "ff/autograd/grad_mode.h"
#include "ff/autograd/ops/ops.h"
#include "ff/autograd/profiler.h"
#include "ff/core/allocator.h"
#include "ff/core/cpu/backend.h"
#include "ff/core/parallel.h"
#include "ff/core/random.h"
#include "ff/models/trainer.h"
#include "ff/nn/clip.h"

#include "tools/commands.h"
#include "tools/matrix_flops.h"
#include "tools/synthetic.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t peak_size = 2048;
constexpr int warm_up = 3, peak_tries = 5, profiled_steps = 3;

struct BenchOptions {
  std::string config;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> batch;
  std::int64_t steps = 10;
  bool json = false;
};

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::int64_t page_faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// What was measured; seconds are medians.
struct Figures {
  double forward = 0, forward_backward = 0, step = 0;
  double page_faults = 0, allocations = 0, reused = 0;  // of a step, on average
  MatrixFlops flops{};                                  // of a step
  double peak = 0;                                      // FLOP/s of a large product
  std::int64_t peak_memory = 0;
  std::unique_ptr<Profiler> profiler{};  // of other steps than those of the medians

  double utilisation() const { return flops.step() / step / peak; }
};

// Makes training steps, each on the same batch, as Trainer does.
class Stepper {
 public:
  Stepper(const models::RunConfig& config, nn::Module& model, models::Batch batch)
      : config_(config),
        model_(model),
        batch_(std::move(batch)),
        parameters_(model.parameters()),
        optimizer_(models::make_optimizer(parameters_, config.train)) {}

  MatrixFlops flops() { return matrix_flops(config_, loss_of(model_, config_, batch_)); }

  void step() {
    const ProfileSpan whole("step");
    const auto begin = Clock::now();
    const Tensor loss = [&] {
      const ProfileSpan span("forward");
      return loss_of(model_, config_, batch_);
    }();
    forward_.push_back(seconds_since(begin));
    {
      const ProfileSpan span("backward");
      optimizer_->zero_grad();
      loss.backward();
    }
    forward_backward_.push_back(seconds_since(begin));
    {
      const ProfileSpan span("optimizer");
      const double norm = nn::grad_norm(parameters_), longest = config_.train.clip_norm;
      optimizer_->step(longest > 0 ? nn::clip_factor(norm, longest) : 1);
    }
    step_.push_back(seconds_since(begin));
  }

  // The medians of so many steps, the caches being warm.
  Figures measure(std::int64_t steps) {
    for (int i = 0; i < warm_up; ++i) step();
    for (auto* times : {&forward_, &forward_backward_, &step_}) times->clear();
    const MemoryStats before = memory_stats();
    const std::int64_t faults_before = page_faults();
    for (std::int64_t i = 0; i < steps; ++i) step();
    const auto each = [steps](auto now, auto then) {
      return static_cast<double>(now - then) / static_cast<double>(steps);
    };
    Figures figures{.forward = median(forward_), .forward_backward = median(forward_backward_), .step = median(step_)};
    figures.page_faults = each(page_faults(), faults_before);
    figures.allocations = each(memory_stats().allocations, before.allocations);
    figures.reused = each(memory_stats().reused, before.reused);
    figures.peak_memory = models::peak_memory_bytes();
    figures.profiler = std::make_unique<Profiler>();
    for (int i = 0; i < profiled_steps; ++i) step();
    figures.profiler->stop();
    return figures;
  }

 private:
  const models::RunConfig& config_;
  nn::Module& model_;
  models::Batch batch_;
  NamedTensors parameters_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::vector<double> forward_, forward_backward_, step_;
};

std::string attention_of(const models::RunConfig& config) {
  const nn::AttentionOptions& attention =
      config.task == models::Task::vision ? config.vision.model.attention : config.language.model.attention;
  return attention.attention == nn::AttentionKind::softmax ? "softmax" : "fourier";
}

// Where the time goes, of a step on average.
nlohmann::ordered_json ops_json(const Profiler& profiler) {
  auto ops = nlohmann::ordered_json::array();
  for (const Profiler::Row& row : profiler.rows())
    ops.push_back({{"op", row.name},
                   {"phase", name(row.phase)},
                   {"calls", static_cast<double>(row.calls) / profiled_steps},
                   {"ms", 1e3 * row.seconds / profiled_steps},
                   {"share", row.seconds / profiler.seconds()},
                   {"bytes", row.bytes / profiled_steps}});
  return ops;
}

void show_json(const models::RunConfig& config, const Figures& f, std::int64_t parameters, std::int64_t batch,
               std::int64_t items, std::int64_t steps) {
  const bool vision = config.task == models::Task::vision;
  nlohmann::ordered_json line{{"task", vision ? "vision" : "language"},
                              {"attention", attention_of(config)},
                              {"parameters", parameters},
                              {"batch", batch},
                              {"items", vision ? "images" : "tokens"},
                              {"threads", num_threads()},
                              {"simd", cpu::simd_target()},
                              {"steps", steps},
                              {"forward_ms", 1e3 * f.forward},
                              {"forward_backward_ms", 1e3 * f.forward_backward},
                              {"step_ms", 1e3 * f.step},
                              {"items_per_second", static_cast<double>(items) / f.step},
                              {"matrix_flops", f.flops.step()},
                              {"matrix_flops_per_second", f.flops.step() / f.step},
                              {"peak_flops_per_second", f.peak},
                              {"utilisation", f.utilisation()},
                              {"peak_memory_bytes", f.peak_memory},
                              {"page_faults_per_step", f.page_faults},
                              {"allocations_per_step", f.allocations},
                              {"reused_per_step", f.reused}};
  line["ops"] = ops_json(*f.profiler);
  fmt::print("{}\n", line.dump());
}

void row(std::string_view name, const std::string& value) { fmt::print("{:<24}{}\n", name, value); }

void show(const models::RunConfig& config, const Figures& f, std::int64_t parameters, std::int64_t batch,
          std::int64_t items, std::int64_t steps) {
  const bool vision = config.task == models::Task::vision;
  fmt::print("{}  {} attention, {} parameters; batches of {}; {} threads, {}, medians of {} steps\n",
             styled(STDOUT_FILENO, Style::bold, vision ? "vision" : "language"), attention_of(config),
             with_commas(parameters), batch, num_threads(), cpu::simd_target(), steps);
  row("forward", fmt::format("{:.1f} ms", 1e3 * f.forward));
  row("forward and backward", fmt::format("{:.1f} ms", 1e3 * f.forward_backward));
  row("step", fmt::format("{:.1f} ms, {} {}/s", 1e3 * f.step, short_number(static_cast<double>(items) / f.step),
                          vision ? "images" : "tokens"));
  row("matrix products",
      fmt::format("{:.4g} GFLOP a step, {:.4g} GFLOP/s", f.flops.step() / 1e9, f.flops.step() / f.step / 1e9));
  row("utilisation", fmt::format("{:.2f} of {:.4g} GFLOP/s, a product of {} x {} matrices", f.utilisation(),
                                 f.peak / 1e9, peak_size, peak_size));
  row("memory", byte_size(static_cast<double>(f.peak_memory)) + " at most");
  row("page faults", fmt::format("{:.1f} a step", f.page_faults));
  row("blocks of memory", fmt::format("{:.1f} a step, {:.1f} of them used before", f.allocations, f.reused));
  fmt::print("\n{}", f.profiler->table(profiled_steps, 25));
}

int run(BenchOptions& options) {
  find_config("bench", options.config, options.overrides);
  const models::RunConfig config = read_run_config(options.config, options.overrides);
  manual_seed(static_cast<std::uint64_t>(config.train.seed));
  const auto model = make_model(config);
  model->train();
  const std::int64_t batch = options.batch.value_or(config.train.batch_size);
  const models::Batch data = synthetic_batch(config, *model, batch);
  Stepper stepper(config, *model, data);
  const MatrixFlops flops = stepper.flops();
  Figures figures = stepper.measure(options.steps);
  figures.flops = flops;
  figures.peak = peak_flops(peak_size, peak_tries);
  (options.json ? show_json : show)(config, figures, model->num_parameters(), batch, data.count, options.steps);
  return 0;
}

}  // namespace

Command add_bench(CLI::App& program) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = program.add_subcommand("bench", "Measure the training steps of a configuration, on random data");
  command
      ->add_option(
          "CONFIG,--model", options->config,
          "The configuration: a JSON file, or the name of one that comes along, such as deit_tiny; its data is "
          "not needed")
      ->type_name("FILE|NAME");
  add_set_option(*command, options->overrides);
  command->add_option("--batch", options->batch, "Images or texts of a step (default: train.batch_size)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--steps", options->steps, "Steps to take the medians of, after a few to warm up (default: 10)")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
  add_threads_option(*command);
  command->add_flag("--json", options->json, "Print a JSON object");
  command->footer(
      "Utilisation is the share of the matrix products' FLOP/s in those of one large product, measured in the same "
      "run.\n"
      "\n"
      "Examples:\n"
      "  fourierformer bench deit_tiny --batch 8 --set model.attention=softmax\n"
      "  fourierformer bench models/configs/toy_language.json --steps 50 --json");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
