// fourierformer compare: variants of a model, trained from the same seeds on the same data, and what they differ in.

#include <algorithm>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/core/io/file.h"
#include "ff/core/parallel.h"
#include "ff/models/run_folder.h"

#include "tools/child.h"
#include "tools/commands.h"
#include "tools/comparison.h"
#include "tools/interrupt.h"
#include "tools/report_page.h"
#include "tools/terminal.h"
#include "tools/variants.h"

namespace ff::tools {
namespace {

struct Options {
  std::string config, out;
  std::vector<std::string> vary, overrides;
  std::optional<std::int64_t> steps, seed;
  std::int64_t seeds = 3;
  bool json = false;
  ReportOptions report;
};

struct PlannedRun {
  std::string name, folder;
  models::RunConfig config;
};

// Run v * seeds + k is variant v from seed k. All configurations are read before anything is trained.
std::vector<PlannedRun> plan(const Options& options, const std::vector<Variant>& variants,
                             const std::vector<std::int64_t>& seeds) {
  std::vector<PlannedRun> runs;
  for (const Variant& variant : variants)
    for (const std::int64_t seed : seeds) {
      models::Overrides overrides = options.overrides;
      overrides.insert(overrides.end(), variant.overrides.begin(), variant.overrides.end());
      overrides.push_back(fmt::format("train.seed={}", seed));
      if (options.steps) overrides.push_back(fmt::format("train.steps={}", *options.steps));
      const std::string name = fmt::format("{}-seed{}", variant.name, seed);
      runs.push_back({name, options.out + "/" + name, read_run_config(options.config, overrides)});
    }
  return runs;
}

// Each run is a process of its own: its peak of memory is its own, too.
int train(const PlannedRun& run, RunState state, const Options& options, const std::atomic<bool>& interrupted) {
  std::vector<std::string> arguments{"train", "--threads", std::to_string(num_threads())};
  if (options.json) arguments.emplace_back("--quiet");
  if (state == RunState::begun) {
    arguments.insert(arguments.end(), {"--resume", run.folder});
    return run_self(arguments, interrupted);
  }
  const std::string config = run.folder + ".json";  // the complete one, beside the folder until the run has begun
  io::write_file(config, run.config.text());
  arguments.insert(arguments.end(), {config, "--out", run.folder});
  const int status = run_self(arguments, interrupted);
  std::filesystem::remove(config);
  return status;
}

// Trains what is left; false where it was interrupted.
bool train_all(const std::vector<PlannedRun>& runs, const Options& options, const std::atomic<bool>& interrupted) {
  std::vector<RunState> states;
  for (const PlannedRun& run : runs) states.push_back(state_of(run.folder, run.config));
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (interrupted) return false;
    if (!options.json) {
      const char* what = states[i] == RunState::finished ? ": finished before"
                         : states[i] == RunState::begun  ? ": goes on"
                                                         : "";
      fmt::print("{}{}\n",
                 styled(STDOUT_FILENO, Style::bold, fmt::format("[{}/{}] {}", i + 1, runs.size(), runs[i].name)), what);
      std::fflush(stdout);
    }
    if (states[i] == RunState::finished) continue;
    const int status = train(runs[i], states[i], options, interrupted);
    if (interrupted) return false;
    if (status != 0)
      throw std::runtime_error(
          fmt::format("compare: {} ended with status {}; runs that are finished are kept", runs[i].folder, status));
    if (state_of(runs[i].folder, runs[i].config) != RunState::finished)
      throw std::runtime_error(fmt::format(
          "compare: {} was stopped before its end, by train.max_seconds; the same command goes on", runs[i].folder));
  }
  return true;
}

// Figures that every run has.
Comparison comparison_of(const std::vector<Variant>& variants, const std::vector<std::int64_t>& seeds,
                         const std::vector<RunReport>& reports) {
  Comparison comparison;
  for (const Variant& variant : variants) comparison.variants.push_back(variant.name);
  comparison.seeds = seeds;
  auto add = [&](const std::string& name, const auto& value_of) {
    Comparison::Metric metric{name, {}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
      metric.values.emplace_back();
      for (std::size_t k = 0; k < seeds.size(); ++k) {
        const std::optional<double> value = value_of(reports[v * seeds.size() + k]);
        if (!value) return;
        metric.values.back().push_back(*value);
      }
    }
    comparison.metrics.push_back(std::move(metric));
  };
  auto add_summary = [&](const std::string& name) {
    add(name, [&](const RunReport& report) -> std::optional<double> {
      const auto value = report.summary.find(name);
      if (value == report.summary.end() || !value->is_number()) return std::nullopt;
      return value->template get<double>();
    });
  };
  for (const auto& [name, value] : reports.front().summary.items())
    if (value.is_number() && name != "steps") add_summary(name);
  add("head_distance", [](const RunReport& report) -> std::optional<double> {
    if (!report.analysis) return std::nullopt;
    return report.analysis->head_distance();
  });
  return comparison;
}

// Columns that a text takes up: its characters, none of which is wide.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void show(const Comparison& comparison) {
  const std::size_t variants = comparison.variants.size();
  std::vector<std::vector<std::string>> rows(1, {""});
  for (const std::string& variant : comparison.variants) rows[0].push_back(variant);
  for (std::size_t v = 1; v < variants; ++v)
    rows[0].push_back(fmt::format("{} - {}", comparison.variants[v], comparison.variants[0]));
  for (const Comparison::Metric& metric : comparison.metrics) {
    rows.push_back({figure_name(metric.name)});
    for (std::size_t v = 0; v < variants; ++v) rows.back().push_back(spread_text(metric.name, metric.spread(v)));
    for (std::size_t v = 1; v < variants; ++v)
      rows.back().push_back(difference_text(metric.name, metric.difference(v)));
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = fmt::format("{:<20}", rows[r][0]);
    for (std::size_t c = 1; c < rows[r].size(); ++c) {
      std::size_t width = 0;
      for (const auto& row : rows) width = std::max(width, columns(row[c]));
      line += std::string(2 + width - columns(rows[r][c]), ' ') + rows[r][c];
    }
    fmt::print("{}\n", r == 0 ? styled(STDOUT_FILENO, Style::bold, line) : line);
  }
  fmt::print("{}\n", caution(comparison));
}

int run(Options& options) {
  const std::atomic<bool>& interrupted = catch_interrupts();
  find_config("compare", options.config, options.overrides);
  const std::vector<Variant> variants = variants_of(options.vary);
  if (options.out.empty()) options.out = "runs/compare-" + std::filesystem::path(options.config).stem().string();
  std::vector<std::int64_t> seeds;
  for (std::int64_t k = 0; k < options.seeds; ++k)
    seeds.push_back(k + options.seed.value_or(read_run_config(options.config, options.overrides).train.seed));
  const std::vector<PlannedRun> runs = plan(options, variants, seeds);
  std::filesystem::create_directories(options.out);
  if (!train_all(runs, options, interrupted)) {
    if (!options.json) fmt::print("interrupted; the same command goes on from here\n");
    return interrupt_status();
  }

  std::vector<RunReport> reports;
  for (const PlannedRun& planned : runs) {
    reports.push_back(read_run(planned.folder, options.report));
    if (reports.back().analysis)
      io::write_file(models::RunFolder(planned.folder).analysis(),
                     models::analysis_json(*reports.back().analysis).dump(2) + "\n");
  }
  const Comparison comparison = comparison_of(variants, seeds, reports);
  const nlohmann::ordered_json json = comparison_json(comparison);
  io::write_file(options.out + "/comparison.json", json.dump(2) + "\n");
  const std::string page = options.out + "/report.html";
  io::write_file(page, report_page(fmt::format("{}: {}", last_part(options.out), fmt::join(comparison.variants, ", ")),
                                   reports, &comparison));
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    show(comparison);
    fmt::print("{}\n", styled(STDOUT_FILENO, Style::bold, page));
  }
  return 0;
}

}  // namespace

Command add_compare(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("compare", "Train variants of a model from the same seeds, and compare them");
  command->add_option("CONFIG", options->config, "The configuration, a JSON file")->type_name("FILE");
  command->add_option("--vary", options->vary, "What to vary; given more than once: all combinations")
      ->type_name("KEY=VALUE,VALUE,..")
      ->allow_extra_args(false)
      ->required();
  add_set_option(*command, options->overrides);
  command->add_option("--seeds", options->seeds, "How many seeds to train each variant from")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--seed", options->seed, "The first of them (default: train.seed)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_steps_option(*command, options->steps);
  command
      ->add_option(
          "--out", options->out,
          "Folder for the runs, comparison.json and report.html (default: runs/compare- and the name of CONFIG)")
      ->type_name("DIR");
  add_samples_option(*command, options->report.analysis.samples);
  add_threads_option(*command);
  command->add_flag("--json", options->json, "Print a JSON object");
  group(*command, "What is trained", {"--vary", "--set", "--seeds", "--seed", "--steps"});
  group(*command, "Where it goes", {"--out", "--json"});
  command->footer(
      "Examples:\n"
      "  fourierformer compare fashion_mnist --vary model.attention=fourier,softmax\n"
      "  fourierformer compare jargon --vary model.radius=1,2,4 --seeds 5 --set train.steps=500\n"
      "\n"
      "Runs that are there already are kept, and one that was interrupted goes on: Ctrl-C, and the same command "
      "again.");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
