// What the saver of the dumps noted about each command: `commands.json`, or a report's manifest.json.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dvrtrace {

struct CommandNote {
  std::string command;  // as it was run
  std::optional<int> status;
  bool truncated = false;  // the beginning of its output was thrown away
  std::optional<double> start, end;  // seconds since 1970
};

// By the path of the file with its output, within the host's folder.
using CommandNotes = std::map<std::string, CommandNote, std::less<>>;

// Where a text names each file, so that the notes on a few of some thousand files are read without the others.
class NotePlaces {
 public:
  explicit NotePlaces(std::string_view json);  // which must outlive this

  // The note about one file; none when it takes reading them all to find out.
  std::optional<CommandNote> find(std::string_view path) const;

 private:
  std::string_view text_;
  std::unordered_map<std::string_view, std::size_t> places_;  // of the quote before the path; npos where it is not the only one
};

// Reads either file. Total: what is not understood is left out.
CommandNotes read_command_notes(std::string_view json);

}  // namespace dvrtrace
