#include "src/cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/cli/console.h"
#include "tui/keys.h"

namespace dvrtrace::cli {
namespace {

constexpr std::size_t kColumn = 28;  // where descriptions begin
constexpr std::size_t kWidth = 110;

std::string usage_line(const Command& command) {
  std::string line = fmt::format("dvrtrace {}", command.name);
  if (!command.arguments.empty()) line += fmt::format(" {}", command.arguments);
  return line;
}

std::string command_list() {
  std::string text;
  for (const Command& command : commands()) {
    text +=
        fmt::format("  {:<38}{}\n", fmt::format("{} {}", command.name, command.arguments), command.summary);
  }
  return text;
}

// "  -i, --input [NAME=]INPUT   a host's folder, ..." with the description wrapped in its column.
std::string option_line(const OptionText& option) {
  std::string names = option.short_name.empty() ? "    " : option.short_name;
  if (!option.long_name.empty()) names += (option.short_name.empty() ? "" : ", ") + option.long_name;
  std::string line = fmt::format("  {} {}", names, option.value);
  line.erase(line.find_last_not_of(' ') + 1);
  if (line.size() + 2 > kColumn) {
    line += "\n" + std::string(kColumn, ' ');
  } else {
    line.resize(kColumn, ' ');
  }
  std::size_t at = kColumn;
  std::string_view rest = option.description;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (at > kColumn && at + word.size() > kWidth) {
      line += "\n" + std::string(kColumn, ' ');
      at = kColumn;
    }
    line += fmt::format("{}{}", at > kColumn ? " " : "", word);
    at += word.size() + 1;
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return line + "\n";
}

std::string option_list(const Command* command) {
  Options unused;
  const auto app = declaration(command, unused);
  std::string text, group;
  for (const OptionText& option : option_texts(*app)) {
    if (option.group != group) {
      group = option.group;
      text += "\n" + group + ":\n";
    }
    text += option_line(option);
  }
  return text;
}

std::string examples_of(const Command& command) {
  std::string text;
  for (const auto& [what, line] : command.examples) text += fmt::format("  # {}\n  {}\n", what, line);
  return text;
}

}  // namespace

std::string short_help(const Command* command) {
  if (command != nullptr) {
    return fmt::format("usage: {}\n{}{}", usage_line(*command), option_list(command),
                       fmt::format("\nMore, with examples: dvrtrace {} --help\n", command->name));
  }
  return "usage: dvrtrace from A to B [PACKET] -i INPUT...\n\n" + command_list() +
         "\n  dvrtrace from vm1 to vm2 -i hosts\n\nMore, with examples: dvrtrace --help, dvrtrace from "
         "--help\n";
}

std::string long_help(const Command* command) {
  if (command != nullptr) {
    std::string text = fmt::format("{}: {}\n\nExamples:\n{}\nusage: {} [OPTION]...\n", usage_line(*command),
                                   command->summary, examples_of(*command), usage_line(*command));
    if (!command->description.empty()) text += fmt::format("\n{}", command->description);
    text += option_list(command);
    if (command->name == "view") text += "\nKeys\n\n" + tui::key_help();
    if (command->name == "from" || command->name == "view") {
      text +=
          "\nExit status: 0 delivered, 1 not delivered, 2 could not run, 3 cannot tell: the dumps do not "
          "say.\n";
    }
    return text;
  }
  std::string text = tool_name() +
                     ": where a packet goes in an OpenStack cloud with distributed routing, and what stops "
                     "it\n\nExamples:\n";
  for (const Command& each : commands()) text += examples_of(each);
  text += "\nCommands:\n" + command_list() + option_list(nullptr);
  text +=
      "\nOptions of a command: dvrtrace COMMAND --help. What DVRTRACE_OPTIONS holds is put in front of the "
      "command line.\n"
      "Exit status: 0 delivered, 1 not delivered, 2 could not run, 3 cannot tell: the dumps do not say.\n"
      "The manual: man dvrtrace\n";
  return text;
}

}  // namespace dvrtrace::cli
