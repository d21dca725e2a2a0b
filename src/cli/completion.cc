// dvrtrace completion SHELL: printed from the declaration of the options, so that nothing is listed twice.
#include <fmt/format.h>

#include <algorithm>

#include "src/cli/console.h"
#include "src/cli/program.h"
#include "src/cli/suggest.h"

namespace dvrtrace::cli {
namespace {

const std::vector<std::string>& shells() {
  static const std::vector<std::string> all{"bash", "zsh", "fish"};
  return all;
}

std::vector<OptionText> options_of(const Command* command) {
  Options unused;
  return option_texts(*declaration(command, unused));
}

bool names_file(const OptionText& option) {
  return option.value == "PATH" || option.value.ends_with("INPUT");
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

std::string command_names() {
  std::string names;
  for (const Command& command : commands())
    names += fmt::format("{}{}", names.empty() ? "" : " ", command.name);
  return names;
}

std::string option_names(const Command* command) {
  std::string names;
  for (const OptionText& option : options_of(command)) {
    for (const std::string& name : {option.short_name, option.long_name}) {
      if (!name.empty()) names += (names.empty() ? "" : " ") + name;
    }
  }
  return names;
}

// --- bash --------------------------------------------------------------------------------------------

// The case arms that answer for the value of an option.
std::string bash_values() {
  std::string arms;
  std::vector<std::string> done;
  for (const Command& command : commands()) {
    for (const OptionText& option : options_of(&command)) {
      if (option.value.empty() || std::ranges::find(done, option.long_name) != done.end()) continue;
      done.push_back(option.long_name);
      const std::string names =
          option.short_name.empty() ? option.long_name : option.short_name + "|" + option.long_name;
      const std::vector<std::string> choices = option.choices();
      const std::string reply =
          !choices.empty()     ? fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$cur\"))", joined(choices))
          : names_file(option) ? "compopt -o default; COMPREPLY=()"
                               : "COMPREPLY=()";
      arms += fmt::format("    {}) {}; return ;;\n", names, reply);
    }
  }
  return arms;
}

std::string bash() {
  std::string commands_and_options;
  for (const Command& command : commands()) {
    const std::string words = command.name == "completion" ? joined(shells()) + " "
                              : command.name == "from"     ? "to icmp tcp/ udp/ sctp/ arp dhcp "
                                                           : "";
    commands_and_options +=
        fmt::format("    {}) words='{}{}' ;;\n", command.name, words, option_names(&command));
  }
  return fmt::format(R"(# bash completion for dvrtrace; printed by `dvrtrace completion bash`
_dvrtrace() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} command='' words='' i
  case $prev in
{})"
                     R"(  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {}) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $command in
{})"
                     R"(    *) words='{} {}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -F _dvrtrace dvrtrace
)",
                     bash_values(),
                     [] {
                       std::string names = command_names();
                       std::ranges::replace(names, ' ', '|');
                       return names;
                     }(),
                     commands_and_options, command_names(), option_names(nullptr));
}

// --- zsh ---------------------------------------------------------------------------------------------

std::string zsh_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == ':' || c == '[' || c == ']') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string zsh_option(const OptionText& option) {
  std::string action;
  if (!option.value.empty()) {
    const std::vector<std::string> choices = option.choices();
    action = fmt::format(":{}:{}", zsh_quoted(choices.empty() ? option.value : "value"),
                         !choices.empty()     ? "(" + joined(choices) + ")"
                         : names_file(option) ? "_files"
                                              : "");
  }
  const bool repeatable = names_file(option);
  std::string text;
  for (const std::string& name : {option.short_name, option.long_name}) {
    if (!name.empty()) {
      text += fmt::format("        '{}{}[{}]{}' \\\n", repeatable ? "*" : "", name,
                          zsh_quoted(option.description), action);
    }
  }
  return text;
}

std::string zsh() {
  std::string list, arms;
  for (const Command& command : commands()) {
    list += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(command.summary));
    std::string options;
    for (const OptionText& option : options_of(&command)) options += zsh_option(option);
    const std::string words = command.name == "completion" ? "'1:shell:(" + joined(shells()) + ")'"
                              : command.name == "from"
                                  ? "'1:A: ' '2:to:(to)' '3:B: ' '4:packet:(icmp tcp/ udp/ sctp/ arp dhcp)'"
                                  : "";
    arms += fmt::format("    {})\n      _arguments -s \\\n{}        {} ;;\n", command.name, options, words);
  }
  std::string general;
  for (const OptionText& option : options_of(nullptr)) general += zsh_option(option);
  return fmt::format(R"(#compdef dvrtrace
# zsh completion for dvrtrace; printed by `dvrtrace completion zsh`
_dvrtrace() {{
  local -a commands
  commands=(
{}  )
  local context state line
  _arguments -C -s \
{}        '1: :->command' '*:: :->rest'
  case $state in
    command) _describe command commands; return ;;
  esac
  case $line[1] in
{}  esac
}}
compdef _dvrtrace dvrtrace
)",
                     list, general, arms);
}

// --- fish --------------------------------------------------------------------------------------------

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_option(const OptionText& option, std::string_view condition) {
  std::string line = fmt::format("complete -c dvrtrace -n {}", fish_quoted(condition));
  if (!option.short_name.empty()) line += " -s " + option.short_name.substr(1);
  if (!option.long_name.empty()) line += " -l " + option.long_name.substr(2);
  if (const std::vector<std::string> choices = option.choices(); !choices.empty()) {
    line += " -x -a " + fish_quoted(joined(choices));
  } else if (names_file(option)) {
    line += " -r -F";
  } else if (!option.value.empty()) {
    line += " -x";
  }
  return line + " -d " + fish_quoted(option.description) + "\n";
}

std::string fish() {
  std::string out =
      "# fish completion for dvrtrace; printed by `dvrtrace completion fish`\ncomplete -c dvrtrace -f\n";
  for (const Command& command : commands()) {
    out += fmt::format("complete -c dvrtrace -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(command.summary));
  }
  for (const OptionText& option : options_of(nullptr)) out += fish_option(option, "__fish_use_subcommand");
  for (const Command& command : commands()) {
    const std::string condition = fmt::format("__fish_seen_subcommand_from {}", command.name);
    if (command.name == "completion") {
      out += fmt::format("complete -c dvrtrace -n {} -a {}\n", fish_quoted(condition),
                         fish_quoted(joined(shells())));
    }
    if (command.name == "from") {
      out += fmt::format("complete -c dvrtrace -n {} -a {}\n", fish_quoted(condition),
                         fish_quoted("to icmp tcp/ udp/ sctp/ arp dhcp"));
    }
    for (const OptionText& option : options_of(&command)) out += fish_option(option, condition);
  }
  return out;
}

}  // namespace

Outcome run_completion(const Options& options) {
  if (options.words.size() != 1)
    return fail("usage", "completion for which shell?", "dvrtrace completion bash|zsh|fish");
  const std::string& shell = options.words[0];
  if (std::ranges::find(shells(), shell) == shells().end()) {
    return fail("usage", "completions are for bash, zsh and fish, not for '" + shell + "'",
                did_you_mean(shell, shells()));
  }
  const std::string text = shell == "bash" ? bash() : shell == "zsh" ? zsh() : fish();
  return answer(text, options) ? Outcome(kDelivered) : fail("output", "the answer could not be written");
}

}  // namespace dvrtrace::cli
