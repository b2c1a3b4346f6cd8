// fourierformer info: what the program runs on, and what a run or a configuration is.

#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/core/io/file.h"
#include "ff/core/parallel.h"
#include "ff/models/run_folder.h"

#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const auto colon = line.find(": "); colon != std::string::npos) return line.substr(colon + 2);
  return "unknown";
}

void row(std::string_view name, std::string_view value) { fmt::print("{:<28}{}\n", name, value); }
void title(std::string_view text) { fmt::print("{}\n", styled(STDOUT_FILENO, Style::bold, text)); }

int show_machine() {
  for (const auto& [name, value] : about()) row(name, value);
  row("CPU", cpu_name());
  row("threads", std::to_string(num_threads()));
  return 0;
}

// "blocks.0" of "blocks.0.attn.qkv.weight", "head" of "head.weight".
std::string part_of(const std::string& parameter) {
  const std::size_t dot = parameter.find('.');
  if (dot == std::string::npos) return parameter;
  const bool in_list = parameter.find_first_not_of("0123456789", dot + 1) != dot + 1;
  return parameter.substr(0, in_list ? parameter.find('.', dot + 1) : dot);
}

void show_parameters(const nn::Module& model) {
  std::vector<std::pair<std::string, std::int64_t>> parts;
  for (const auto& [name, tensor] : model.parameters()) {
    const std::string part = part_of(name);
    if (parts.empty() || parts.back().first != part) parts.emplace_back(part, 0);
    parts.back().second += tensor.numel();
  }
  parts.emplace_back("in all", model.num_parameters());
  for (const auto& [name, count] : parts) row("  " + name, fmt::format("{:>14}", with_commas(count)));
}

void show_settings(models::RunConfig config) {
  for (const auto& field : models::config_fields([&](models::Fields& fields) { config.visit(fields); }))
    fmt::print("  {:<27} {:<14} {}\n", field.path, field.value, field.help);
}

void show_summary(const models::RunFolder& folder) {
  const nlohmann::ordered_json summary = folder.read_summary();
  for (const auto& [name, value] : summary.items()) {
    const std::string shown = value.is_number() ? figure_text(name, value.get<double>()) : value.dump();
    row("  " + spelled(name), shown);
  }
}

int show_run(const std::string& path) {
  const bool is_run = std::filesystem::is_directory(path);
  const models::RunFolder folder(path);
  if (is_run) folder.check_complete();
  const models::RunConfig config = read_run_config(is_run ? folder.config() : path);
  const auto model = make_model(config, is_run ? &folder : nullptr);
  title("configuration");
  show_settings(config);
  title("parameters");
  show_parameters(*model);
  if (is_run && std::filesystem::exists(folder.summary())) {
    title("summary");
    show_summary(folder);
  }
  return 0;
}

}  // namespace

Command add_info(CLI::App& program) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("info", "Show the machine, or a run, or what a configuration makes");
  command->add_option("DIR|CONFIG", *path, "Folder of a run, or a configuration; none: the machine");
  add_threads_option(*command);
  command->footer(
      "Examples:\n"
      "  fourierformer info\n"
      "  fourierformer info runs/jargon\n"
      "  fourierformer info deit_tiny              # every setting, and what it means");
  return {command, [path] { return path->empty() ? show_machine() : show_run(*path); }};
}

}  // namespace ff::tools
