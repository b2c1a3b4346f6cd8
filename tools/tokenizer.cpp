// fourierformer tokenizer: byte pairs, learnt from texts, and what they make of a text.

#include <filesystem>
#include <iostream>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "ff/core/check.h"
#include "ff/core/io/file.h"
#include "ff/models/language/text_parts.h"
#include "ff/models/language/vocabulary.h"

#include "tools/commands.h"
#include "tools/loading.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

struct Options {
  std::vector<std::string> texts;
  std::int64_t size = 8000;
  std::string out, folder, file;
};

int learn(const Options& options) {
  models::WordCounts counts;
  {
    LoadingLine line;
    for (const std::string& text : options.texts)
      models::for_each_piece(
          {text}, [&](std::string_view piece) { models::count_units(models::TokenKind::bpe, piece, counts); },
          "counting words of " + text, line.listener());
  }
  const models::BytePairs pairs = models::BytePairs::learn(counts, options.size);
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  check(std::filesystem::is_directory(options.out), "tokenizer", "{}: cannot be made: {}", options.out,
        error.message());
  pairs.save(options.out);
  fmt::print("{} tokens, {} of them merged, of {} different words; saved in {}\n", with_commas(pairs.size()),
             with_commas(std::ssize(pairs.merges())), with_commas(std::ssize(counts.all())), options.out);
  return 0;
}

std::string read_input(const std::string& file) {
  if (!file.empty()) return io::read_file(file);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

models::Vocabulary load(const Options& options) {
  return models::Vocabulary::byte_pairs(models::BytePairs::load(options.folder));
}

int encode(const Options& options) {
  const models::Vocabulary vocabulary = load(options);
  std::vector<std::int32_t> tokens;
  models::TextEncoder(vocabulary).encode(read_input(options.file), tokens);
  for (std::size_t i = 0; i < tokens.size(); ++i) fmt::print("{}{}", i == 0 ? "" : " ", tokens[i]);
  fmt::print("\n");
  return 0;
}

int decode(const Options& options) {
  const models::Vocabulary vocabulary = load(options);
  const std::string input = read_input(options.file);
  constexpr std::string_view white = " \t\r\n";
  std::vector<std::int64_t> tokens;
  for (std::size_t at = input.find_first_not_of(white); at != std::string::npos;
       at = input.find_first_not_of(white, at)) {
    const std::size_t end = std::min(input.find_first_of(white, at), input.size());
    const std::string word = input.substr(at, end - at);
    const bool number = word.size() <= 10 && word.find_first_not_of("0123456789") == std::string::npos;
    check(number, "tokenizer", "\"{}\" is no number of a token", printable(word.substr(0, 40)));
    tokens.push_back(std::stoll(word));
    at = end;
  }
  fmt::print("{}", vocabulary.decode(tokens));
  return 0;
}

}  // namespace

Command add_tokenizer(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("tokenizer", "Learn byte pairs from texts, and encode and decode texts by them");
  command->require_subcommand(1);
  CLI::App* train = command->add_subcommand("train", "Learn byte pairs, as GPT-2 has them");
  train->add_option("TEXT", options->texts, "Texts to learn from, plain or gzip")->type_name("FILE")->required();
  train->add_option("--size", options->size, "How many tokens, the 256 bytes counted")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(256, INT32_MAX));
  train->add_option("--out", options->out, "Folder for encoder.json and vocab.bpe")->type_name("DIR")->required();
  train->footer("Example: fourierformer tokenizer train corpus/train.txt --size 8000 --out tokenizer");
  CLI::App* encoder = command->add_subcommand("encode", "Print the numbers of a text's tokens");
  CLI::App* decoder = command->add_subcommand("decode", "Print the text of tokens, numbers with white space between");
  for (CLI::App* each : {encoder, decoder}) {
    each->add_option("DIR", options->folder, "Folder with encoder.json and vocab.bpe: a run's, or GPT-2's")
        ->type_name("")
        ->required();
    each->add_option("FILE", options->file, "What to read (default: stdin)")->type_name("");
  }
  return {command, [=] {
            return train->parsed() ? learn(*options) : encoder->parsed() ? encode(*options) : decode(*options);
          }};
}

}  // namespace ff::tools
