#include "tools/help.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

namespace ff::tools {
namespace {

constexpr std::size_t column = 26;  // where explanations begin

// The values of CLI::IsMember, from CLI11's type: "FORMAT:{html,dot,json}".
std::vector<std::string> choices_of(const std::string& type) {
  const std::size_t open = type.find(":{");
  if (open == std::string::npos || !type.ends_with('}')) return {};
  return CLI::detail::split(type.substr(open + 2, type.size() - open - 3), ',');
}

OptionText describe(const CLI::Option& option, bool positional) {
  OptionText text;
  text.help = option.get_description();
  text.positional = positional;
  text.required = option.get_required();
  text.repeated = option.get_expected_max() >= CLI::detail::expected_max_vector_size;
  if (positional) {
    text.names = {option.get_name(true, false)};
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  if (option.get_type_size() != 0) {
    const std::string type = option.get_type_name();
    text.choices = choices_of(type);
    text.value =
        text.choices.empty() ? type.substr(0, type.find(':')) : fmt::format("{}", fmt::join(text.choices, "|"));
    if (const std::string value = option.get_default_str(); !value.empty())
      text.help += fmt::format(" (default: {})", value);
  }
  if (text.required) text.help += " (required)";
  return text;
}

// text in lines of at most width columns, each after the first indented by so many.
std::string wrapped(const std::string& text, std::size_t indent, std::size_t width) {
  std::string out, line;
  const auto end_line = [&] {
    out += (out.empty() ? "" : "\n" + std::string(indent, ' ')) + line;
    line.clear();
  };
  for (const std::string& word : CLI::detail::split(text, ' ')) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > width) end_line();
    line += (line.empty() ? "" : " ") + word;
  }
  end_line();
  return out;
}

std::string row(const std::string& name, const std::string& help, std::size_t width) {
  std::string line = "  " + name;
  line += line.size() + 2 <= column ? std::string(column - line.size(), ' ') : "\n" + std::string(column, ' ');
  return line + wrapped(help, column, width) + "\n";
}

// Lines that begin with a space are examples, and stay as they are.
std::string paragraphs(const std::string& text, std::size_t width) {
  std::string out;
  for (const std::string& line : CLI::detail::split(text, '\n'))
    out += (line.starts_with(' ') ? line : wrapped(line, 0, width)) + "\n";
  return out;
}

}  // namespace

std::string OptionText::synopsis() const {
  const std::string value_after = positional || value.empty() ? "" : " " + value;
  return fmt::format("{}{}{}", fmt::join(names, ", "), value_after, repeated ? "..." : "");
}

std::vector<OptionGroup> option_groups(const CLI::App& command) {
  std::vector<OptionGroup> groups{{"Arguments", {}}};
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // CLI11's way to hide one
    if (option->get_positional()) groups.front().options.push_back(describe(*option, true));
    if (!option->nonpositional()) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const OptionGroup& of) { return of.title == option->get_group(); });
    if (group == groups.end()) group = groups.insert(group, {option->get_group(), {}});
    group->options.push_back(describe(*option, false));
  }
  // What has a name comes before the rest.
  std::stable_partition(groups.begin() + 1, groups.end(),
                        [](const OptionGroup& group) { return group.title != "Options"; });
  std::erase_if(groups, [](const OptionGroup& group) { return group.options.empty(); });
  return groups;
}

std::string usage(const CLI::App& command) {
  const CLI::App* program = &command;
  while (program->get_parent() != nullptr) program = program->get_parent();
  std::string text = program->get_name();
  for (const std::string& name : path_of(command)) text += " " + name;
  text += " [OPTIONS]";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = describe(*option, true).synopsis();
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text + (commands_of(command).empty() ? "" : " COMMAND");
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
}

std::vector<std::string> path_of(const CLI::App& command) {
  if (command.get_parent() == nullptr) return {};
  std::vector<std::string> path = path_of(*command.get_parent());
  path.push_back(command.get_name());
  return path;
}

std::vector<std::pair<std::string, std::string>> exit_statuses() {
  return {{"0", "done"},
          {"1", "it failed: one line on stderr says why"},
          {"2", "the command line or a configuration is wrong"},
          {"130, 143", "interrupted (SIGINT, SIGTERM) and ended in order"}};
}

std::string help_page(const CLI::App& command, std::size_t width) {
  std::string page = wrapped(command.get_description(), 0, width) + "\nUsage: " + usage(command) + "\n";
  for (const auto& [title, options] : option_groups(command)) {
    page += "\n" + title + ":\n";
    for (const OptionText& option : options) page += row(option.synopsis(), option.help, width);
  }
  if (const auto commands = commands_of(command); !commands.empty()) {
    page += "\nCommands:\n";
    for (const CLI::App* one : commands) page += row(one->get_name(), one->get_description(), width);
  }
  if (command.get_parent() == nullptr) {
    page += "\nExit status:\n";
    for (const auto& [status, meaning] : exit_statuses()) page += row(status, meaning, width);
  }
  if (const std::string footer = command.get_footer(); !footer.empty()) page += "\n" + paragraphs(footer, width);
  return page;
}

}  // namespace ff::tools
