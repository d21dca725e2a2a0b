// Keys: what is pressed, and what it commands. One table says both; the help screen, the line of hints,
// `dvrtrace view --help` and the manual print it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace::tui {

// clang-format off
enum class KeyName {
  Character, Enter, Escape, Tab, BackTab, Backspace, Delete, Up, Down, Left, Right, PageUp, PageDown, Home, End, F1,
};

// clang-format on
struct Key {
  KeyName name = KeyName::Character;
  char32_t character = 0;  // of a Character
  bool operator==(const Key&) const = default;
};

// Keys as they are written in the table and after --keys: "Tab j F1 Down". A single character is itself,
// "Space" a blank, and any other word its characters, one by one.
std::vector<Key> read_keys(std::string_view text);

// clang-format off
enum class Command {
  Up, Down, Left, Right, PageUp, PageDown, First, Last, NextHop, PreviousHop, OtherDirection,
  NextPart, PreviousPart, Open, Leave, Enlarge, Detail,
  Search, SearchNext, SearchPrevious, Filter,
  Findings, Reference, Counters, Verification,
  Packet, Swap, Without, Ends, Undo,
  Copy, SaveView, SaveJson, PrintAndQuit, Quit, Help, Redraw,
};

// clang-format on

struct Binding {
  Command command;
  std::string_view keys;   // as read_keys() takes them
  std::string_view hint;   // a word for the line of hints; "" is not shown there
  std::string_view group;  // of the help
  std::string_view meaning;
};

const std::vector<Binding>& bindings();
std::optional<Command> command_of(const Key& key);

// The table as text, a line each, below the names of its groups.
std::string key_help();

}  // namespace dvrtrace::tui
