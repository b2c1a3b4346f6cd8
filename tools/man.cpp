// fourierformer man: the manual page, in the language of man(7), from the description of the commands.

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include "tools/commands.h"
#include "tools/help.h"

namespace ff::tools {
namespace {

// text as roff shows it as it stands: no escapes, no requests, and a - that is a minus sign, which can be copied.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() || out.back() == '\n')
      if (c == '.' || c == '\'') out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '~')
      out += "\\(ti";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '`')
      out += "\\(ga";
    else
      out += c;
  }
  return out;
}

// An argument of a request.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : escaped(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return out + "\"";
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }

std::string item(const std::string& name, std::string_view meaning) {
  return ".TP\n" + name + "\n" + escaped(meaning) + "\n";
}

// Names are bold, what they take is in italics.
std::string name_of(const OptionText& option) {
  if (option.positional) return "\\fI" + escaped(option.synopsis()) + "\\fR";
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + bold(name);
  if (!option.value.empty()) text += " \\fI" + escaped(option.value) + "\\fR";
  return text + (option.repeated ? "..." : "");
}

// Prose, and between it, indented, examples that keep their lines.
std::string paragraphs(const std::string& text) {
  std::string out = ".PP\n";
  bool example = false;
  for (const std::string& line : CLI::detail::split(text, '\n')) {
    const bool indented = line.starts_with(' ');
    if (indented != example) out += indented ? ".RS 4\n.nf\n" : ".fi\n.RE\n.PP\n";
    example = indented;
    const std::size_t begin = line.find_first_not_of(' ');
    out += begin == std::string::npos ? ".PP\n" : escaped(std::string_view(line).substr(begin)) + "\n";
  }
  return out + (example ? ".fi\n.RE\n" : "");
}

std::string command_section(const CLI::App& command) {
  std::string text =
      fmt::format(".SS {}\n{}.\n.PP\n{}\n", argument(fmt::format("{}", fmt::join(path_of(command), " "))),
                  escaped(command.get_description()), bold(usage(command)));
  for (const auto& [title, options] : option_groups(command)) {
    text += ".PP\n" + escaped(title) + ":\n";
    for (const OptionText& option : options) text += item(name_of(option), option.help);
  }
  if (!command.get_footer().empty()) text += paragraphs(command.get_footer());
  for (const CLI::App* one : commands_of(command)) text += command_section(*one);
  return text;
}

std::string man_page(const CLI::App& program) {
  const std::string name = program.get_name();
  std::string page = ".TH FOURIERFORMER 1 \"\" \"fourierformer " FF_VERSION "\" \"User Commands\"\n";
  page += fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(program.get_description()));
  page += fmt::format(".SH SYNOPSIS\n{} [\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n", bold(name));
  page += ".SH OPTIONS\n";
  for (const auto& [title, options] : option_groups(program))
    for (const OptionText& option : options) page += item(name_of(option), option.help);
  page += ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(program)) page += command_section(*command);
  page += ".SH \"EXIT STATUS\"\n";
  for (const auto& [status, meaning] : exit_statuses()) page += item(bold(status), meaning + ".");
  page += ".SH ENVIRONMENT\n";
  page += item(bold("FF_SIMD"),
               "The instruction set to compute with, in place of the best that the machine has: a name that "
               "fourierformer info lists.");
  page += item(bold("OPENBLAS_CORETYPE"), "The same for OpenBLAS.");
  page += item(bold("NO_COLOR"),
               "Where it is set and not empty, nothing is coloured. Nor is it where the output is no terminal.");
  return page;
}

}  // namespace

Command add_man(CLI::App& program) {
  CLI::App* command = program.add_subcommand("man", "Print the manual page");
  command->footer("Example:\n  fourierformer man | man -l -");
  return {command, [&program] {
            fmt::print("{}", man_page(program));
            return 0;
          }};
}

}  // namespace ff::tools
