// fourierformer generate: text by a trained language model.

#include "ff/models/language/generate.h"

#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/models/language/task.h"

#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct Options {
  std::string folder, prompt;
  models::GenerateOptions generate;
  bool json = false, verbose = false;
};

// Prints text as it comes, a character when it is complete.
class TextPrinter {
 public:
  void print(std::string_view piece) {
    pending_ += piece;
    const std::size_t complete = pending_.size() - incomplete_utf8(pending_);
    show(complete);
  }
  // What is left, and the end of the line.
  void finish() {
    show(pending_.size());
    fmt::print("\n");
    std::fflush(stdout);
  }

 private:
  void show(std::size_t bytes) {
    fmt::print("{}", printable(std::string_view(pending_).substr(0, bytes)));
    std::fflush(stdout);
    pending_.erase(0, bytes);
  }

  std::string pending_;
};

int run(const Options& options) {
  try {
    models::check_sampling(options.generate.sampling);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  const std::atomic<bool>& interrupted = catch_interrupts();
  const models::RunFolder folder(options.folder);
  const auto [vocabulary, model] = models::load_language_model(folder);
  TextPrinter printer;
  if (!options.json) printer.print(options.prompt);

  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  std::int64_t tokens = 0;
  auto listen = [&, &words = vocabulary](std::string_view piece) {
    if (!options.json) {
      if (tokens == 0 && apart(words, options.prompt, piece)) printer.print(" ");
      printer.print(piece);
    }
    ++tokens;
    return !interrupted;
  };
  const std::string text = models::generate(*model, vocabulary, options.prompt, options.generate, listen);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double rate = seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
  if (options.json) {
    const nlohmann::ordered_json json{{"prompt", printable(options.prompt)},
                                      {"text", printable(text)},
                                      {"tokens", tokens},
                                      {"tokens_per_second", rate}};
    fmt::print("{}\n", json.dump());
  } else {
    printer.finish();
  }
  if (options.verbose || is_terminal(STDERR_FILENO)) {
    const std::string line = fmt::format("{} tokens, {} tokens/s", with_commas(tokens), short_number(rate));
    fmt::print(stderr, "{}\n", styled(STDERR_FILENO, Style::dim, line));
  }
  return interrupted ? interrupt_status() : 0;
}

}  // namespace

bool apart(const models::Vocabulary& vocabulary, std::string_view prompt, std::string_view text) {
  return vocabulary.kind() == models::TokenKind::words && !prompt.empty() && !text.empty() && text.front() != '\n' &&
         prompt.back() != ' ' && prompt.back() != '\n';
}

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
      ->add_option("--temperature", options->generate.sampling.temperature,
                   "Below 1 plays safe, above 1 dares; 0 always takes the likeliest token")
      ->capture_default_str()
      ->type_name("T")
      ->check(CLI::NonNegativeNumber);
  models::SamplingOptions& sampling = options->generate.sampling;
  command->add_option("--top-k", sampling.top_k, "Choose among the K likeliest tokens alone; 0: among all")
      ->capture_default_str()
      ->type_name("K")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--top-p", sampling.top_p,
                   "Choose among the fewest likeliest tokens that have this share of the probability")
      ->capture_default_str()
      ->type_name("P");
  command
      ->add_option("--repetition-penalty", sampling.repetition_penalty,
                   "Above 1, what the text has already is less likely")
      ->capture_default_str()
      ->type_name("X");
  command->add_option("--seed", options->generate.seed, "With the same one comes the same text")
      ->capture_default_str()
      ->type_name("N");
  add_threads_option(*command);
  command->footer(
      "Examples:\n"
      "  fourierformer generate runs/jargon --prompt \"The hacker\" --tokens 300 --temperature 0.8\n"
      "  fourierformer generate runs/jargon --prompt \"A bug is\" --temperature 0 --json");
  command->add_flag("--json", options->json, "Print a JSON object");
  command->add_flag("--verbose", options->verbose,
                    "Tell on stderr how many tokens a second were written, as is done on a terminal");
  group(*command, "What is written",
        {"--prompt", "--tokens", "--temperature", "--top-k", "--top-p", "--repetition-penalty", "--seed"});
  return {command, [options] { return run(*options); }};
}

}  // namespace ff::tools
