// fourierformer gradcheck: the table of ops, checked against finite differences.

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/autograd/op_check.h"

#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct GradcheckOptions {
  std::vector<std::string> ops;
  bool list = false, json = false;
  std::uint64_t seed = 1;
};

std::string names_like(std::string_view wanted) {
  std::string names;
  for (const OpRecord& record : op_table())
    if (record.name.find(wanted) != std::string_view::npos || wanted.find(record.name) != std::string_view::npos)
      names += (names.empty() ? "" : ", ") + std::string(record.name);
  return names.empty() ? "--list shows all" : "there are " + names;
}

// The records asked for, all of them by default, in the order of the table.
std::vector<const OpRecord*> chosen(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (std::none_of(op_table().begin(), op_table().end(), [&](const OpRecord& r) { return r.name == name; }))
      throw UsageError(fmt::format("gradcheck: unknown op \"{}\"; {}", name, names_like(name)));
  std::vector<const OpRecord*> records;
  for (const OpRecord& record : op_table())
    if (names.empty() || std::find(names.begin(), names.end(), record.name) != names.end()) records.push_back(&record);
  return records;
}

int show_list(const std::vector<const OpRecord*>& records, const GradcheckOptions& options) {
  for (const OpRecord* record : records) {
    Sampler sampler(options.seed);
    const std::size_t samples = record->samples(sampler).size();
    if (options.json)
      fmt::print(
          "{}\n",
          nlohmann::ordered_json{{"op", record->name}, {"differentiable", record->differentiable}, {"samples", samples}}
              .dump());
    else
      fmt::print("{:<34}{:<20}{:>3} sample{}\n", record->name,
                 record->differentiable ? "differentiable" : "no derivative", samples, samples == 1 ? "" : "s");
  }
  return 0;
}

void show(const OpRecord& record, const OpReport& report) {
  const std::string errors = record.differentiable ? fmt::format("{:>10.1e}{:>10.1e}", report.gradient, report.second)
                                                   : fmt::format("{:>10}{:>10}", "-", "-");
  const bool good = report.failures.empty();
  fmt::print("{:<34}{}{:>10.1e}{:>10.1e}  {}\n", record.name, errors, report.strided, report.single,
             styled(STDOUT_FILENO, good ? Style::green : Style::red, good ? "ok" : "WRONG"));
  for (const std::string& failure : report.failures) fmt::print("    {}\n", failure);
  std::fflush(stdout);
}

void show_json(const OpRecord& record, const OpReport& report) {
  nlohmann::ordered_json line{{"op", record.name}, {"differentiable", record.differentiable}};
  if (record.differentiable) line["gradient"] = report.gradient, line["second"] = report.second;
  line["strided"] = report.strided, line["f32"] = report.single, line["failures"] = report.failures;
  fmt::print("{}\n", line.dump());
}

int run(const GradcheckOptions& options) {
  const std::vector<const OpRecord*> records = chosen(options.ops);
  if (options.list) return show_list(records, options);
  if (!options.json) fmt::print("{:<34}{:>10}{:>10}{:>10}{:>10}\n", "op", "gradient", "second", "strided", "f32");
  std::size_t wrong = 0;
  OpReport worst;
  for (const OpRecord* record : records) {
    const OpReport report = check_op(*record, options.seed);
    options.json ? show_json(*record, report) : show(*record, report);
    wrong += report.failures.empty() ? 0 : 1;
    worst.gradient = std::max(worst.gradient, report.gradient);
    worst.second = std::max(worst.second, report.second);
  }
  if (!options.json)
    fmt::print(
        "{} op{}, {} wrong; largest error of a gradient {:.1e} (limit {:.0e}), of a second one {:.1e} ({:.0e})\n",
        records.size(), records.size() == 1 ? "" : "s", wrong, worst.gradient, OpReport::gradient_limit, worst.second,
        OpReport::second_limit);
  return wrong == 0 ? 0 : 1;
}

}  // namespace

Command add_gradcheck(CLI::App& program) {
  auto options = std::make_shared<GradcheckOptions>();
  CLI::App* command = program.add_subcommand("gradcheck", "Check the derivatives of the library's ops");
  command->add_option("OP", options->ops, "Ops to check (default: all)")->type_name("");
  command->add_flag("--list", options->list, "List the ops instead");
  add_threads_option(*command);
  command->add_option("--seed", options->seed, "What the random inputs and cotangents depend on")->type_name("N");
  command->add_flag("--json", options->json, "Print a JSON object a line");
  command->footer(
      "Relative errors of: gradients and gradients of gradients against finite differences in float64 with random "
      "cotangents; strided against dense inputs; float32 against float64. Exit status 1 if an op is wrong.\n"
      "\n"
      "Examples:\n"
      "  fourierformer gradcheck softmax matmul\n"
      "  fourierformer gradcheck --list");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
