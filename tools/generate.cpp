// fourierformer generate: text by a trained language model.

#include "ff/models/language/generate.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ff/models/language/task.h"

#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct Options {
  std::string folder, prompt;
  models::GenerateOptions generate;
  bool json = false;
};

int run(const Options& options) {
  const models::RunFolder folder(options.folder);
  const auto [vocabulary, model] = models::load_language_model(folder);
  const std::string text = models::generate(*model, vocabulary, options.prompt, options.generate);
  if (options.json) {
    const nlohmann::ordered_json json{{"prompt", printable(options.prompt)}, {"text", printable(text)}};
    fmt::print("{}\n", json.dump());
    return 0;
  }
  const bool apart = vocabulary.kind() == models::TokenKind::words && !options.prompt.empty() && !text.empty() &&
                     text.front() != '\n' && options.prompt.back() != ' ' && options.prompt.back() != '\n';
  fmt::print("{}{}{}\n", printable(options.prompt), apart ? " " : "", printable(text));
  return 0;
}

}  // namespace

Command add_generate(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("generate", "Write text with a trained language model");
  command->add_option("DIR", options->folder, "Folder of a run")->type_name("")->required();
  command->add_option("--prompt", options->prompt, "Text to go on from")->type_name("TEXT")->required();
  command->add_option("--tokens", options->generate.max_tokens, "How many tokens to write")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--temperature", options->generate.temperature,
                   "Below 1 plays safe, above 1 dares; 0 always takes the likeliest token")
      ->capture_default_str()
      ->type_name("T")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--top-k", options->generate.top_k, "Choose among the K likeliest tokens alone; 0: among all")
      ->capture_default_str()
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--seed", options->generate.seed, "With the same one comes the same text")
      ->capture_default_str()
      ->type_name("N");
  add_threads_option(*command);
  command->footer("Example: fourierformer generate runs/jargon --prompt \"The hacker\" --tokens 300 --temperature 0.8");
  command->add_flag("--json", options->json, "Print a JSON object");
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
