// What the saver of the dumps noted about each command: `commands.json`, or a report's manifest.json.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dvrtrace {

struct CommandNote {
  std::string command;  // as it was run
  std::optional<int> status;
  bool truncated = false;  // the beginning of its output was thrown away
  std::optional<double> start, end;  // seconds since 1970
};

// By the path of the file with its output, within the host's folder.
using CommandNotes = std::map<std::string, CommandNote, std::less<>>;

// The note about one file alone, found without reading the others; none when it takes reading them all to find out.
std::optional<CommandNote> find_command_note(std::string_view json, std::string_view path);

// Reads either file. Total: what is not understood is left out.
CommandNotes read_command_notes(std::string_view json);

}  // namespace dvrtrace
