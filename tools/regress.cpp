// fourierformer regress: the kernel estimators that Fourier attention comes from, beside a Gaussian kernel.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/autograd/ops/ops.h"
#include "ff/core/check.h"
#include "ff/core/io/csv.h"
#include "ff/core/io/file.h"
#include "ff/models/data_random.h"
#include "ff/models/regression/comparison.h"

#include "tools/chart.h"
#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

using models::ComparisonRow, models::DependentData, models::Trial;

constexpr std::int64_t test_points = 1000, least_rows = 30;
constexpr double noise = 0.1;  // deviation of what is added to the targets of a made-up function

struct RegressOptions {
  std::string data, target, plot;
  bool regression = false, json = false;
  std::optional<int> power;
  std::optional<double> spread;
  std::vector<std::int64_t> sizes;
  std::int64_t repeats = 3;
  std::uint64_t seed = 1;
};

// What is to be estimated, from samples of several sizes.
struct Problem {
  std::string title, error;  // error: what is measured
  std::vector<std::int64_t> sizes;
  std::function<Trial(std::int64_t n, std::int64_t repeat)> trial;
  std::int64_t most = INT64_MAX;  // the largest sample there can be
};

// Random numbers of one sample, and more from its second stretch on.
RandomKey key_of(const RegressOptions& options, std::int64_t repeat, std::uint64_t stretch = 0) {
  RandomKey key = models::data_key(options.seed, models::DataStream::order, repeat);
  key.offset += stretch << 40;
  return key;
}

std::vector<std::int64_t> sizes_up_to(std::int64_t most, std::int64_t least) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t n = least; n <= most; n *= 2) sizes.push_back(n);
  return sizes;
}

Tensor noisy(const Tensor& values, RandomKey key) {
  const Tensor added = Tensor::empty(values.shape(), f64);
  fill_normal(added.data<double>(), added.numel(), key);
  return values + noise * added;
}

Problem made_up_problem(const RegressOptions& options, models::Density kind) {
  const DependentData density(kind, options.spread.value_or(0.3));
  const int power = options.power.value_or(options.regression ? 4 : 1);
  const std::string name = fmt::format("{} of spread {:g}", options.data, density.spread());
  if (!options.regression)
    return {"Density: " + name, "integrated squared error", sizes_up_to(4000, 125),
            [=](std::int64_t n, std::int64_t repeat) {
              return models::density_trial(density, n, power, key_of(options, repeat));
            }};
  return {"Regression over a " + name, "mean squared error", sizes_up_to(1000, 125),
          [=](std::int64_t n, std::int64_t repeat) {
            const Tensor sample = density.sample(n, key_of(options, repeat));
            const Tensor points = density.sample(test_points, key_of(options, repeat, 1));
            const Tensor targets = noisy(models::smooth_function(sample), key_of(options, repeat, 2));
            return models::regression_trial(sample, targets, points, models::smooth_function(points), power);
          }};
}

std::int64_t target_column(const Table& table, const RegressOptions& options) {
  const std::int64_t columns = table.values.size(1);
  check(columns >= 2, "regress", "{}: a feature and a target are needed, there is one column", options.data);
  if (options.target.empty()) return columns - 1;
  const auto found = std::find(table.columns.begin(), table.columns.end(), options.target);
  check(found != table.columns.end(), "regress", "{}: no column \"{}\"; {}", options.data, options.target,
        table.columns.empty() ? "the columns have no names"
                              : fmt::format("there are {}", fmt::join(table.columns, ", ")));
  return found - table.columns.begin();
}

// Features to mean 0 and deviation 1, so that one radius or bandwidth is right for all; constant ones to 0.
Tensor standardised(const Tensor& features) {
  const Tensor centred = features - mean(features, {0}, true), deviation = ff::std(features, {0}, 0, true);
  return where(gt(deviation, 0), centred / deviation, 0.0);
}

Problem table_problem(const RegressOptions& options) {
  const Table table = load_csv(options.data);
  const std::int64_t rows = table.values.size(0), column = target_column(table, options);
  check(rows >= least_rows, "regress", "{}: {} rows, at least {} are needed", options.data, rows, least_rows);
  const Tensor targets = contiguous(select(table.values, 1, column));
  const Tensor features = standardised(concatenate(
      {narrow(table.values, 1, 0, column), narrow(table.values, 1, column + 1, table.values.size(1) - column - 1)}, 1));
  const double variance = var(targets, {}, 0).item<double>();
  check(variance > 0, "regress", "{}: the target is the same in all rows", options.data);
  const std::int64_t tested = rows / 5, most = rows - tested;
  std::vector<std::int64_t> sizes = sizes_up_to(std::min<std::int64_t>(most - 1, 1000), 25);
  sizes.push_back(std::min<std::int64_t>(most, 2000));
  const double power = options.power.value_or(4);
  return {"Regression: " + std::filesystem::path(options.data).filename().string(),
          fmt::format("mean squared error ({:.4g} of the mean alone)", variance), sizes,
          [=](std::int64_t n, std::int64_t repeat) {
            const auto order = models::random_permutation(rows, key_of(options, repeat));
            const auto part = [&](const Tensor& x, std::int64_t begin, std::int64_t count) {
              return index_select(x, 0,
                                  Tensor::from(std::span(order).subspan(static_cast<std::size_t>(begin),
                                                                        static_cast<std::size_t>(count)),
                                               {count}));
            };
            return models::regression_trial(part(features, tested, n), part(targets, tested, n),
                                            part(features, 0, tested), part(targets, 0, tested), power);
          },
          most};
}

Problem problem_of(const RegressOptions& options) {
  constexpr std::pair<const char*, models::Density> made_up[] = {
      {"mixture", models::Density::mixture}, {"banana", models::Density::banana}, {"ring", models::Density::ring}};
  for (const auto& [name, kind] : made_up) {
    if (options.data != name) continue;
    if (!options.target.empty()) throw UsageError("regress: --target is for a table of your own");
    return made_up_problem(options, kind);
  }
  if (options.spread) throw UsageError("regress: --spread is for mixture, banana and ring");
  return table_problem(options);
}

nlohmann::ordered_json errors_json(const models::Errors& errors, const char* parameter) {
  return {{"error", errors.mean}, {"deviation", errors.deviation}, {parameter, errors.parameter}};
}

void show_json(const Problem& problem, const std::vector<ComparisonRow>& rows) {
  auto list = nlohmann::ordered_json::array();
  for (const ComparisonRow& row : rows)
    list.push_back({{"n", row.n},
                    {"fourier", errors_json(row.fourier, "radius")},
                    {"gaussian", errors_json(row.gaussian, "bandwidth")},
                    {"theory", errors_json(row.theory, "radius")}});
  fmt::print("{}\n", nlohmann::ordered_json{{"title", problem.title}, {"error", problem.error}, {"rows", list}}.dump());
}

void show_row(const ComparisonRow& row) {
  const auto shown = [](const models::Errors& errors) {
    return fmt::format("{:.3g} +- {:.1g}", errors.mean, errors.deviation);
  };
  fmt::print("{:>6}  {:<20}{:<8.3g}{:<20}{:<8.3g}{:<8.2f}{:<20}{:.3g}\n", row.n, shown(row.fourier),
             row.fourier.parameter, shown(row.gaussian), row.gaussian.parameter, row.fourier.mean / row.gaussian.mean,
             shown(row.theory), row.theory.parameter);
  std::fflush(stdout);
}

void write_plot(const std::string& path, const Problem& problem, const std::vector<ComparisonRow>& rows) {
  Chart chart{.title = problem.title,
              .x_label = "size of the sample",
              .logarithmic = true,
              .curves = {},
              .logarithmic_x = true,
              .y_label = problem.error,
              .legend = true};
  auto add = [&](const char* name, models::Errors ComparisonRow::*errors) {
    Curve curve{.name = name, .points = {}, .colour = static_cast<int>(chart.curves.size())};
    for (const ComparisonRow& row : rows) curve.points.emplace_back(static_cast<double>(row.n), (row.*errors).mean);
    chart.curves.push_back(std::move(curve));
  };
  add("Fourier, best radius", &ComparisonRow::fourier);
  add("Gaussian, best bandwidth", &ComparisonRow::gaussian);
  add("Fourier, radius ~ sqrt(log N)", &ComparisonRow::theory);
  io::write_file(path, svg_file(chart_svg(chart)));
}

int run(const RegressOptions& options) {
  Problem problem = problem_of(options);
  if (!options.sizes.empty()) problem.sizes = options.sizes;
  std::sort(problem.sizes.begin(), problem.sizes.end());
  check(problem.sizes.back() <= problem.most, "regress", "--sizes {}: only {} rows are not held out",
        problem.sizes.back(), problem.most);
  if (!options.json) {
    fmt::print("{}\n{}, mean and deviation of {} sample{}\n", styled(STDOUT_FILENO, Style::bold, problem.title),
               problem.error, options.repeats, options.repeats == 1 ? "" : "s");
    fmt::print("{:>6}  {:<20}{:<8}{:<20}{:<8}{:<8}{:<20}{}\n", "N", "Fourier", "radius", "Gaussian", "width", "ratio",
               "~ sqrt(log N)", "radius");
  }
  const auto rows =
      models::compare_kernels(problem.sizes, options.repeats, problem.trial, [&](const ComparisonRow& row) {
        if (!options.json) show_row(row);
      });
  if (!options.plot.empty()) write_plot(options.plot, problem, rows);
  if (options.json) show_json(problem, rows);
  return 0;
}

}  // namespace

Command add_regress(CLI::App& program) {
  auto options = std::make_shared<RegressOptions>();
  CLI::App* command =
      program.add_subcommand("regress", "Compare Fourier and Gaussian kernel estimates, on a table or on made-up data");
  command
      ->add_option("DATA", options->data,
                   "A table of numbers (CSV): regression of a column on the others; or mixture, banana or ring: the "
                   "density of two features that depend on each other")
      ->type_name("FILE|NAME")
      ->required();
  command->add_option("--target", options->target, "Column to predict, by name (default: the last)")->type_name("NAME");
  command->add_flag("--regression", options->regression,
                    "Of mixture, banana or ring: estimate sin 3x + cos 2y from values with noise, not the density");
  command
      ->add_option("--spread", options->spread,
                   "Of mixture, banana or ring: the smaller, the stronger the dependence (default: 0.3)")
      ->type_name("S")
      ->check(CLI::Range(0.05, 1.0));
  command->add_option("--power", options->power, "p of the kernel sinc(R z)^p (default: 1 for a density, else 4)")
      ->type_name("P")
      ->check(CLI::Range(1, 16));
  command->add_option("--sizes", options->sizes, "Sizes of samples (default: doubled from a small one on)")
      ->type_name("N")
      ->check(CLI::Range(20, 1 << 20));
  command->add_option("--repeats", options->repeats, "Samples of each size (default: 3)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--plot", options->plot, "Draw the errors, an SVG file")->type_name("FILE.svg");
  command->add_option("--seed", options->seed, "What all random numbers depend on (default: 1)")->type_name("N");
  add_threads_option(*command);
  command->add_flag("--json", options->json, "Print a JSON object");
  command->footer(
      "The radius and the bandwidth are the best there are for a density, which is known here, and chosen by 10-fold\n"
      "cross-validation for a regression; a fifth of a table is held out to measure the error on. The last columns "
      "are\n"
      "of a radius that grows as the theory has it, from the best one of the smallest sample.\n"
      "Examples:\n"
      "  fourierformer regress mixture --spread 0.2 --plot mixture.svg\n"
      "  fourierformer regress measurements.csv --target price");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
