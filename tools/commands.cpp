#include "tools/commands.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "ff/core/error.h"
#include "ff/core/parallel.h"
#include "ff/models/language/task.h"
#include "ff/models/vision/model.h"

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

void find_config(const std::string& command, std::string& config, std::vector<std::string>& overrides) {
  if (!config.empty()) return;
  const auto path = std::find_if(overrides.begin(), overrides.end(),
                                 [](const std::string& text) { return text.find('=') == std::string::npos; });
  if (path == overrides.end()) throw UsageError(command + ": a configuration must be named, CONFIG.json");
  config = *path;
  overrides.erase(path);
}

std::unique_ptr<nn::Module> make_model(const models::RunConfig& config, const std::string& vocabulary) {
  if (config.task == models::Task::vision) return std::make_unique<models::VisionTransformer>(config.vision.model);
  const models::LanguageConfig& language = config.language;
  std::int64_t tokens = models::Vocabulary::bytes().size();
  if (language.model.vocabulary == models::TokenKind::words)
    tokens = !vocabulary.empty() ? models::Vocabulary::load(vocabulary).size()
                                 : models::load_corpus(language.data, models::TokenKind::words).vocabulary.size();
  return std::make_unique<models::LanguageModel>(language.model, tokens);
}

std::string spelled(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace ff::tools
