#include "tools/commands.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include "ff/core/cpu/backend.h"
#include "ff/core/error.h"
#include "ff/core/parallel.h"
#include "ff/models/language/task.h"
#include "ff/models/time_series/model.h"
#include "ff/models/vision/model.h"

#include "tools/terminal.h"

namespace ff::tools {

namespace fs = std::filesystem;

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

void add_seed_option(CLI::App& command, std::optional<std::int64_t>& seed) {
  command.add_option("--seed", seed, "What all random numbers depend on (train.seed)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
}

void add_steps_option(CLI::App& command, std::optional<std::int64_t>& steps) {
  command.add_option("--steps", steps, "Updates to make (train.steps)")->type_name("N")->check(CLI::PositiveNumber);
}

void add_samples_option(CLI::App& command, std::int64_t& samples) {
  command.add_option("--samples", samples, "Held-out images or texts to look at attention on")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 20));
}

void add_heads_option(CLI::App& command, std::string& heads) {
  command.add_option("--heads", heads, "Heads to make maps of (default: up to four of up to four layers)")
      ->type_name("LAYER.HEAD,..");
}

namespace {

// Where the configurations are that come along: of a built tree (build/bin/fourierformer), or an installed one.
fs::path shipped_configs() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const char* place : {"../../models/configs", "../share/fourierformer/configs"})
    if (fs::is_directory(folder / place)) return folder / place;
  return {};
}

// A name is a word; what looks like a path, or is one, is a path.
std::string config_file(const std::string& path) {
  if (path.empty() || path.find_first_of("./") != std::string::npos || fs::exists(path)) return path;
  const fs::path folder = shipped_configs();
  if (folder.empty()) return path;
  if (const fs::path file = folder / (path + ".json"); fs::exists(file)) return file.string();
  throw UsageError(
      fmt::format("there is no configuration \"{}\": a file, or one of {}", path, fmt::join(config_names(), ", ")));
}

}  // namespace

std::vector<std::string> config_names() {
  std::vector<std::string> names;
  std::error_code ignored;  // of a folder that is not there
  for (const auto& entry : fs::directory_iterator(shipped_configs(), ignored))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

void group(CLI::App& command, const char* title, std::initializer_list<const char*> options) {
  for (const char* option : options) command.get_option(option)->group(title);
}

std::vector<std::pair<std::string, std::string>> about() {
  const std::string sanitizers = FF_SANITIZE;
  return {{"version", FF_VERSION},
          {"build",
           fmt::format("{}, {}{}", FF_BUILD_TYPE, FF_COMPILER, sanitizers.empty() ? "" : ", -fsanitize=" + sanitizers)},
          {"SIMD", fmt::format("{} (of {})", cpu::simd_target(), fmt::join(cpu::simd_targets(), ", "))},
          {"BLAS", cpu::blas_config()}};
}

models::RunConfig read_run_config(const std::string& path, const models::Overrides& overrides) {
  try {
    return models::RunConfig::read(config_file(path), overrides);
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

std::unique_ptr<nn::Module> make_model(const models::RunConfig& config, const models::RunFolder* run) {
  if (config.task == models::Task::vision) return std::make_unique<models::VisionTransformer>(config.vision.model);
  if (config.task == models::Task::time_series)
    return std::make_unique<models::TimeSeriesTransformer>(config.time_series.model);
  const models::LanguageModelConfig& model = config.language.model;
  std::int64_t tokens = model.vocabulary_size;
  if (run != nullptr)
    tokens = models::load_vocabulary(*run, model.vocabulary).size();
  else if (model.vocabulary == models::TokenKind::bytes)
    tokens = models::Vocabulary::bytes().size();
  else if (tokens == 0 && !config.language.data.tokenizer.empty())
    tokens = models::BytePairs::load(config.language.data.tokenizer).size();
  else if (tokens == 0)
    tokens = models::load_corpus(config.language.data, model.vocabulary).vocabulary.size();
  return std::make_unique<models::LanguageModel>(model, tokens);
}

std::string spelled(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string figure_text(std::string_view name, double value, int digits) {
  if (name.ends_with("_bytes")) return byte_size(value);
  if (name.ends_with("_seconds")) return duration(value);
  if (name == "parameters" || name == "steps" || name == "best_step") return with_commas(std::llround(value));
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace ff::tools
