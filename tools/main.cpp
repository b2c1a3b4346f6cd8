// The program fourierformer: finds the command, runs it, and turns what went wrong into one line and an exit status.

#include <new>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "tools/commands.h"
#include "tools/terminal.h"

namespace ff::tools {
namespace {

constexpr int failed = 1, misused = 2;

int complain(int status, std::string_view message) {
  fmt::print(stderr, "{} {}\n", styled(STDERR_FILENO, Style::red, "fourierformer:"), one_line(message));
  return status;
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
  program.set_version_flag("--version", "fourierformer " FF_VERSION);
  program.require_subcommand(1);
  program.get_formatter()->label("SUBCOMMAND", "COMMAND");
  program.get_formatter()->label("REQUIRED", "(required)");
  program.footer("fourierformer COMMAND --help tells more of a command.");
  const std::vector<Command> commands{
      add_train(program),    add_eval(program), add_analyze(program), add_report(program), add_compare(program),
      add_generate(program), add_info(program), add_graph(program),   add_bench(program),  add_gradcheck(program)};
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
    return run(argc, argv);
  } catch (const UsageError& error) {
    return complain(misused, error.what());
  } catch (const std::bad_alloc&) {
    return complain(failed, "there is not enough memory");
  } catch (const std::exception& error) {
    return complain(failed, error.what());
  }
}
