#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ff/models/run_config.h"
#include "ff/models/run_folder.h"
#include "ff/nn/module.h"

namespace CLI {
class App;
}

namespace ff::models {
class Vocabulary;
}

/// The commands of the program, a file each.
namespace ff::tools {

/// The command line or a configuration is wrong: exit status 2. Whatever else goes wrong is 1.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A command as CLI11 parses it, and what it does once that is done; returns the exit status.
struct Command {
  CLI::App* parser;
  std::function<int()> run;
};

/// Each adds a command to the program.
Command add_train(CLI::App& program);
Command add_eval(CLI::App& program);
Command add_analyze(CLI::App& program);
Command add_report(CLI::App& program);
Command add_compare(CLI::App& program);
Command add_generate(CLI::App& program);
Command add_info(CLI::App& program);
Command add_tokenizer(CLI::App& program);
Command add_graph(CLI::App& program);
Command add_bench(CLI::App& program);
Command add_gradcheck(CLI::App& program);
Command add_completion(CLI::App& program);
Command add_man(CLI::App& program);
Command add_regress(CLI::App& program);

/// What is the same in several commands.
void add_threads_option(CLI::App& command);
void add_set_option(CLI::App& command, std::vector<std::string>& overrides);
void add_seed_option(CLI::App& command, std::optional<std::int64_t>& seed);
void add_steps_option(CLI::App& command, std::optional<std::int64_t>& steps);
void add_samples_option(CLI::App& command, std::int64_t& samples);
void add_heads_option(CLI::App& command, std::string& heads);

/// Puts options of a command into a group of --help: group(*command, "Output", {"--quiet", "--json"}).
void group(CLI::App& command, const char* title, std::initializer_list<const char*> options);

/// The version, how the program was built and what it computes with, a line each.
std::vector<std::pair<std::string, std::string>> about();

/// The names of the configurations that come along (models/configs), sorted; none where they are not found.
std::vector<std::string> config_names();

/// The configuration in a file, or the one of that name which comes along (models/configs): "deit_tiny". Throws
/// UsageError where there is none.
models::RunConfig read_run_config(const std::string& path, const models::Overrides& overrides = {});

/// `--set a=1 b=2 config.json` gives --set more than its own: moves the configuration's path from overrides to config
/// if that is empty. Throws UsageError where there is none.
void find_config(const std::string& command, std::string& config, std::vector<std::string>& overrides);

/// The model that config describes, with its initial weights. How many tokens a language model has is told by
/// the vocabulary of the run, if there is one, else by config, or, where that does not tell it, by the data.
std::unique_ptr<nn::Module> make_model(const models::RunConfig& config, const models::RunFolder* run = nullptr);

/// Whether a prompt and the text that goes on from it need a space between them.
bool apart(const models::Vocabulary& vocabulary, std::string_view prompt, std::string_view text);

/// "test_loss" as people read it: "test loss".
std::string spelled(std::string name);
/// A figure of summary.json by that name as people read it: bytes, seconds and counts in their units, others to so many
/// digits.
std::string figure_text(std::string_view name, double value, int digits = 6);

}  // namespace ff::tools
