#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

/// What there is to say of the program's commands and options, from CLI11's description of them: for --help, the manual
/// page and the completion of shells. A command needs to do no more for any of them than to be added.
namespace ff::tools {

/// An option, or a positional argument.
struct OptionText {
  std::vector<std::string> names;    ///< "-h", "--help"; of a positional argument one, "CONFIG"
  std::string value;                 ///< "N", "FILE|NAME", of a choice "html|dot|json"; empty: it takes none
  std::vector<std::string> choices;  ///< where the value is one of some
  std::string help;                  ///< with the default, or that it is required
  bool positional = false, required = false, repeated = false;

  /// "-h, --help", "--out DIR", "--set KEY=VALUE...", "OP...".
  std::string synopsis() const;
};

/// Options that belong together: "Arguments", "Options", "Output".
struct OptionGroup {
  std::string title;
  std::vector<OptionText> options;
};

/// Those of a command, or the program's own; positional arguments first.
std::vector<OptionGroup> option_groups(const CLI::App& command);

/// "fourierformer train [OPTIONS] [CONFIG]".
std::string usage(const CLI::App& command);

/// The commands of the program, or of a command that has some of its own, as they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

/// The names that lead from the program to a command, its own last; of the program itself none.
std::vector<std::string> path_of(const CLI::App& command);

/// The program's exit statuses, and what each means.
std::vector<std::pair<std::string, std::string>> exit_statuses();

/// What --help prints, in lines of at most width columns where words allow it.
std::string help_page(const CLI::App& command, std::size_t width);

}  // namespace ff::tools
