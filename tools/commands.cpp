#include "tools/commands.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "ff/core/error.h"
#include "ff/core/parallel.h"

namespace ff::tools {

void add_threads_option(CLI::App& command) {
  command
      .add_option_function<int>(
          "--threads", [](int threads) { set_num_threads(threads); },
          "Threads to compute with (default: all cores); results do not depend on it")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
}

void add_set_option(CLI::App& command, std::vector<std::string>& overrides) {
  command.add_option("--set", overrides, "Change settings of the configuration, such as train.lr=0.001")
      ->type_name("KEY=VALUE");
}

models::RunConfig read_run_config(const std::string& path, const models::Overrides& overrides) {
  try {
    return models::RunConfig::read(path, overrides);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

std::string spelled(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace ff::tools
