// fourierformer completion: what a shell completes the program's commands, options and values with.

#include <algorithm>
#include <map>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/ranges.h>

#include "ff/autograd/op_check.h"

#include "tools/commands.h"
#include "tools/help.h"

namespace ff::tools {
namespace {

// What can stand in the place of a value.
struct Values {
  std::vector<std::string> words;
  bool files = false, folders = false, settings = false;
};

// By the name of a positional argument and of what an option takes: "FILE", "DIR|CONFIG", "FILE.html", "KEY=VALUE".
Values values_of(const OptionText& option) {
  Values values{.words = option.choices};
  const auto add = [&](const std::string& what) {
    for (const std::string& one : CLI::detail::split(what, '|')) {
      if (one == "CONFIG" || one == "NAME") {
        for (const std::string& name : config_names()) values.words.push_back(name);
        values.files = true;
      }
      if (one == "OP")
        for (const OpRecord& op : op_table()) values.words.emplace_back(op.name);
      values.files |= one.starts_with("FILE") || one == "PATH";
      values.folders |= one == "DIR";
      values.settings |= one.starts_with("KEY=VALUE");
    }
  };
  if (option.choices.empty()) add(option.value);
  if (option.positional) add(option.names.front());
  return values;
}

// The settings of all configurations that come along, so of every task, and their values where they are some words.
std::map<std::string, std::set<std::string>> settings() {
  std::map<std::string, std::set<std::string>> found;
  for (const std::string& name : config_names()) {
    models::RunConfig config = read_run_config(name);
    for (const models::FieldInfo& field : models::config_fields([&](models::Fields& f) { config.visit(f); })) {
      std::set<std::string>& words = found[field.path];
      if (field.type == "true or false") words.insert({"true", "false"});
      const std::vector<std::string> parts = CLI::detail::split(field.type, '"');  // one of "a", "b"
      for (std::size_t i = 1; i < parts.size(); i += 2) words.insert(parts[i]);
    }
  }
  return found;
}

std::vector<OptionText> options_of(const CLI::App& command, bool positional) {
  std::vector<OptionText> found;
  for (const OptionGroup& group : option_groups(command))
    for (const OptionText& option : group.options)
      if (option.positional == positional) found.push_back(option);
  return found;
}

std::string command_names(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(program)) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, " "));
}

std::string option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const OptionText& option : options_of(command, false))
    names.insert(names.end(), option.names.begin(), option.names.end());
  return fmt::format("{}", fmt::join(names, " "));
}

// ------------------------------------------------------------------------------------------------------------- bash

std::string bash_values(const Values& values) {
  std::string text;
  if (!values.words.empty()) text += fmt::format(" words='{}'", fmt::join(values.words, " "));
  if (values.settings) text += " settings=1";
  if (values.files || values.folders) text += values.files ? " paths=f" : " paths=d";
  return text;
}

// What is known of a command, and of those that it has: the options, how many values each takes, and which.
std::string bash_commands(const CLI::App& command) {
  std::string text = fmt::format("    {})\n      options='{}'\n      case $option in\n",
                                 fmt::join(path_of(command), "/"), option_names(command));
  for (const OptionText& option : options_of(command, false))
    if (!option.value.empty())
      text += fmt::format("        {}) takes={}{} ;;\n", fmt::join(option.names, "|"), option.repeated ? "many" : "one",
                          bash_values(values_of(option)));
  text += "      esac\n";
  std::string arguments;
  for (const OptionText& argument : options_of(command, true)) arguments += bash_values(values_of(argument));
  if (!commands_of(command).empty()) arguments += " words='" + command_names(command) + "'";
  if (!arguments.empty()) text += "      [[ $takes ]] ||" + arguments + "\n";
  text += "      ;;\n";
  for (const CLI::App* one : commands_of(command)) text += bash_commands(*one);
  return text;
}

// " train eval tokenizer tokenizer/train"
std::string bash_paths(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : commands_of(app))
    text += fmt::format(" {}{}", fmt::join(path_of(*command), "/"), bash_paths(*command));
  return text;
}

std::string bash_script(const CLI::App& program) {
  std::string text = R"(# Completion of fourierformer for bash, made by `fourierformer completion bash`.

_fourierformer() {
  local current=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1))
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
)";
  text += fmt::format("    mapfile -t COMPREPLY < <(compgen -W '{} {}' -- \"$current\")\n", command_names(program),
                      option_names(program));
  text += R"(    return
  fi
  local command=${COMP_WORDS[1]} next=2 commands=')" +
          bash_paths(program) + R"( '
  while ((next < COMP_CWORD)) && [[ $commands == *" $command/${COMP_WORDS[next]} "* ]]; do
    command+=/${COMP_WORDS[next]} next=$((next + 1))
  done

  # Readline makes a word of the = of --out=DIR and key=value.
  local key=
  if [[ $current == = ]]; then
    current= key=${COMP_WORDS[at]}
  elif [[ ${COMP_WORDS[at]} == = ]]; then
    at=$((at - 1)) key=${COMP_WORDS[at]}
  fi
  # The option before the word, if the word is a value of it.
  local first=$at option= takes= options= words= settings= paths=
  while ((at > 1)) && [[ ${COMP_WORDS[at]} != -* ]]; do at=$((at - 1)); done
  [[ ${COMP_WORDS[at]} == -* ]] && option=${COMP_WORDS[at]}
  _fourierformer_command "$command"
  if [[ $takes == one ]] && ((at != first)); then  # it has its value
    option= takes= words= settings= paths=
    _fourierformer_command "$command"
  fi

  if [[ $current == -* && ! $key ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  if [[ $settings && $key ]]; then
    case $key in
)";
  const auto all = settings();
  for (const auto& [key, values] : all)
    if (!values.empty()) text += fmt::format("      {}) words='{}' ;;\n", key, fmt::join(values, " "));
  text += "    esac\n  elif [[ $settings ]]; then\n    compopt -o nospace\n    words='";
  for (const auto& [key, values] : all) text += key + "= ";
  text += R"('
  fi
  mapfile -t COMPREPLY < <(
    [[ $words ]] && compgen -W "$words" -- "$current"
    [[ $paths ]] && compgen -"$paths" -- "$current"
  )
  [[ $paths ]] && compopt -o filenames
}

_fourierformer_command() {
  case $1 in
)";
  for (const CLI::App* command : commands_of(program)) text += bash_commands(*command);
  return text + "  esac\n}\n\ncomplete -F _fourierformer fourierformer\n";
}

// -------------------------------------------------------------------------------------------------------------- zsh

// text within '..', where : [ ] mean something to _arguments.
std::string zsh_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == ':' || c == '[' || c == ']' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh_values(const Values& values) {
  if (values.settings) return "_fourierformer_settings";
  const char* paths = values.files ? "_files" : values.folders ? "_files -/" : "";
  const std::string words = fmt::format("{}", fmt::join(values.words, " "));
  if (words.empty()) return *paths != '\0' ? paths : " ";
  if (*paths == '\0') return "(" + words + ")";
  return "_fourierformer_configs";  // what alone is a word or a file
}

std::string zsh_option(const OptionText& option, const std::string& name) {
  std::string text = fmt::format("'{}{}[{}]", option.repeated ? "*" : "", name, zsh_quoted(option.help));
  if (!option.value.empty())
    text += fmt::format("{}{}:{}", option.repeated ? ":*-*:" : ":", zsh_quoted(option.value),
                        zsh_values(values_of(option)));
  return text + "'";
}

std::string zsh_options(const CLI::App& command) {
  std::string text;
  for (const OptionText& option : options_of(command, false))
    for (const std::string& name : option.names) text += " \\\n    " + zsh_option(option, name);
  for (const OptionText& argument : options_of(command, true))
    text += fmt::format(" \\\n    '{}:{}:{}'", argument.repeated ? "*" : "", zsh_quoted(argument.names.front()),
                        zsh_values(values_of(argument)));
  return text;
}

std::string zsh_name(const CLI::App& command) {
  std::string name = "_fourierformer";
  for (const std::string& part : path_of(command)) name += "-" + part;
  return name;
}

// A function for a command, and those of its own commands before it.
std::string zsh_functions(const CLI::App& command) {
  const std::vector<const CLI::App*> commands = commands_of(command);
  if (commands.empty()) return fmt::format("{}() {{\n  _arguments{}\n}}\n\n", zsh_name(command), zsh_options(command));
  std::string text;
  for (const CLI::App* one : commands) text += zsh_functions(*one);
  text += zsh_name(command) + "() {\n  local state line\n  local -a commands=(\n";
  for (const CLI::App* one : commands)
    text += fmt::format("    '{}:{}'\n", one->get_name(), zsh_quoted(one->get_description()));
  text += fmt::format("  )\n  _arguments -C{} \\\n    ':command:->command' '*::argument:->argument'\n",
                      zsh_options(command));
  return text + fmt::format(R"(  case $state in
    command) _describe command commands ;;
    argument) (($+functions[{0}-$line[1]])) && {0}-$line[1] ;;
  esac
}}

)",
                            zsh_name(command));
}

std::string zsh_script(const CLI::App& program) {
  std::string text =
      "#compdef fourierformer\n# Completion of fourierformer for zsh, made by `fourierformer completion zsh`.\n\n"
      "_fourierformer_settings() {\n";
  std::string keys;
  for (const auto& [key, values] : settings()) {
    keys += " " + key + "=";
    if (!values.empty())
      text += fmt::format("  compset -P '{}=' && compadd -- {} && return\n", key, fmt::join(values, " "));
  }
  text += "  compadd -S '' --" + keys + "\n}\n\n";
  text += fmt::format("_fourierformer_configs() {{\n  _alternative 'names:name:({})' 'files:file:_files'\n}}\n\n",
                      fmt::join(config_names(), " "));
  return text + zsh_functions(program) + "_fourierformer \"$@\"\n";
}

}  // namespace

Command add_completion(CLI::App& program) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = program.add_subcommand("completion", "Print what makes a shell complete command lines");
  command->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->footer(
      "Examples:\n"
      "  source <(fourierformer completion bash)                       # for this shell\n"
      "  fourierformer completion zsh > ~/.zfunc/_fourierformer        # a folder of $fpath");
  return {command, [&program, shell] {
            fmt::print("{}", *shell == "bash" ? bash_script(program) : zsh_script(program));
            return 0;
          }};
}

}  // namespace ff::tools
