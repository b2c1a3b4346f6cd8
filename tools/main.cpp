// The program fourierformer: finds the command, runs it, and turns what went wrong into one line and an exit status.

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/help.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

constexpr int failed = 1, misused = 2;

int complain(int status, std::string_view message) {
  fmt::print(stderr, "{} {}\n", styled(STDERR_FILENO, Style::red, "fourierformer:"), one_line(message));
  return status;
}

std::string version() {
  std::string text = "fourierformer";
  for (const auto& [name, value] : about())
    text += name == "version" ? " " + value : fmt::format("\n{:<8}{}", name, value);
  return text;
}

std::string list_of(const std::vector<Command>& commands) {
  std::string names;
  for (const Command& command : commands) names += (names.empty() ? "" : ", ") + command.parser->get_name();
  return names;
}

// CLI11 only says that an argument was not expected.
void check_command(const std::vector<Command>& commands, int argc, char** argv) {
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first.starts_with("-")) return;
  for (const Command& command : commands)
    if (first == command.parser->get_name()) return;
  throw UsageError(first.empty() ? fmt::format("a command is needed: {} (or --help)", list_of(commands))
                                 : fmt::format("unknown command \"{}\"; there are {}", first, list_of(commands)));
}

int run(int argc, char** argv) {
  CLI::App program("Transformers with Fourier-integral attention: training, evaluation, use", "fourierformer");
  program.set_version_flag("--version", version, "Print the version, how it was built and what it computes with");
  program.set_help_flag("-h,--help", "Print this help");
  program.require_subcommand(1);
  program.formatter_fn([](const CLI::App* command, const std::string&, CLI::AppFormatMode) {
    return help_page(*command, std::min<std::size_t>(is_terminal(STDOUT_FILENO) ? terminal_width() : 100, 100));
  });
  const std::vector<Command> commands{add_train(program),      add_eval(program),      add_analyze(program),
                                      add_report(program),     add_compare(program),   add_generate(program),
                                      add_tokenizer(program),  add_info(program),      add_graph(program),
                                      add_bench(program),      add_gradcheck(program), add_regress(program),
                                      add_completion(program), add_man(program)};
  program.footer(
      "Examples:\n"
      "  fourierformer train fashion_mnist --out runs/fashion\n"
      "  fourierformer eval runs/fashion\n"
      "  fourierformer COMMAND --help              # more of a command");
  try {
    check_command(commands, argc, argv);
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  for (const Command& command : commands)
    if (command.parser->parsed()) return command.run();
  return misused;
}

}  // namespace
}  // namespace ff::tools

int main(int argc, char** argv) {
  using namespace ff::tools;
  try {
    const int status = run(argc, argv);
    // A full disk may show at the end alone; an error of before stays noted.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw std::runtime_error("not all of the output could be written");
    return status;
  } catch (const UsageError& error) {
    return complain(misused, error.what());
  } catch (const std::bad_alloc&) {
    return complain(failed, "there is not enough memory");
  } catch (const std::exception& error) {
    return complain(failed, error.what());
  }
}
