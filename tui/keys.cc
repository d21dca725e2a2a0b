#include "tui/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/base/text.h"
#include "tui/canvas.h"

namespace dvrtrace::tui {
namespace {

constexpr std::array<std::pair<std::string_view, KeyName>, 15> kNames{{
    {"Enter", KeyName::Enter},
    {"Esc", KeyName::Escape},
    {"Tab", KeyName::Tab},
    {"BackTab", KeyName::BackTab},
    {"Backspace", KeyName::Backspace},
    {"Delete", KeyName::Delete},
    {"Up", KeyName::Up},
    {"Down", KeyName::Down},
    {"Left", KeyName::Left},
    {"Right", KeyName::Right},
    {"PgUp", KeyName::PageUp},
    {"PgDn", KeyName::PageDown},
    {"Home", KeyName::Home},
    {"End", KeyName::End},
    {"F1", KeyName::F1},
}};

constexpr std::string_view kMoving = "Moving", kParts = "Parts", kFinding = "Finding",
                           kAbout = "About the hop", kWhatIf = "What if", kTaking = "Taking along",
                           kGeneral = "General";

}  // namespace

std::vector<Key> read_keys(std::string_view text) {
  std::vector<Key> keys;
  for (std::string_view word : words_of(text)) {
    const auto named = std::ranges::find(kNames, word, [](const auto& name) { return name.first; });
    if (named != kNames.end()) {
      keys.push_back({named->second, 0});
    } else if (word == "Space") {
      keys.push_back({KeyName::Character, U' '});
    } else {
      while (!word.empty()) keys.push_back({KeyName::Character, take_code_point(word)});
    }
  }
  return keys;
}

// clang-format off
const std::vector<Binding>& bindings() {
  static const std::vector<Binding> all{
      {Command::Help, "? h F1", "help", kGeneral, "this page"},
      {Command::Quit, "Q", "", kGeneral, "leave the viewer, from anywhere; so does Ctrl-C"},
      {Command::Leave, "q Esc", "leave", kGeneral, "leave what is open; at last the viewer"},
      {Command::PrintAndQuit, "P", "", kGeneral, "leave the viewer and print what it shows"},
      {Command::Redraw, "L", "", kGeneral, "draw everything anew"},
      {Command::Down, "j Down", "", kMoving, "the next hop, step or line"},
      {Command::Up, "k Up", "", kMoving, "the one before"},
      {Command::Right, "Right", "", kMoving, "the next hop; in the evidence, to the right"},
      {Command::Left, "Left", "", kMoving, "the hop before; in the evidence, to the left"},
      {Command::PageDown, "PgDn Space", "", kMoving, "a screen on"},
      {Command::PageUp, "PgUp", "", kMoving, "a screen back"},
      {Command::First, "g Home", "", kMoving, "the first"},
      {Command::Last, "G End", "", kMoving, "the last"},
      {Command::NextHop, ">", "", kMoving, "the next hop, from every part"},
      {Command::PreviousHop, "<", "", kMoving, "the hop before, from every part"},
      {Command::OtherDirection, "r", "reply", kMoving, "the other direction"},
      {Command::NextPart, "Tab", "part", kParts, "the next part: path, steps, evidence"},
      {Command::PreviousPart, "BackTab", "", kParts, "the part before"},
      {Command::Open, "Enter", "open", kParts, "into the steps, the evidence, the whole line"},
      {Command::Enlarge, "\\", "enlarge", kParts, "the part alone, or all three again"},
      {Command::Detail, "d", "detail", kParts, "more detail, or less: path, full, brief"},
      {Command::Search, "/", "search", kFinding, "search; capitals and small letters are the same"},
      {Command::SearchNext, "n", "", kFinding, "the next place that was searched for"},
      {Command::SearchPrevious, "N", "", kFinding, "the one before"},
      {Command::Filter, "&", "", kFinding, "only findings that hold a text; an empty one brings all back"},
      {Command::Findings, "f", "findings", kAbout, "what is wrong, and what repairs it"},
      {Command::Reference, "e", "", kAbout, "expected against found, in the place of this hop"},
      {Command::Counters, "c", "", kAbout, "counters and ages of what decided, as evidence of traffic"},
      {Command::Verification, "v", "", kAbout, "what captures show at the crossings of this direction"},
      {Command::Packet, "p", "packet", kWhatIf, "ask with another packet"},
      {Command::Swap, "s", "", kWhatIf, "ask with the ends swapped"},
      {Command::Without, "w", "", kWhatIf, "ask without the flow, rule or route of this step"},
      {Command::Ends, "a", "", kWhatIf, "ask with other ends"},
      {Command::Undo, "u", "", kWhatIf, "back to the question before"},
      {Command::Copy, "y", "copy", kTaking, "copy the line; it is printed on leaving, too"},
      {Command::SaveView, "S", "", kTaking, "save what the screen shows, as text"},
      {Command::SaveJson, "J", "", kTaking, "save the trace as JSON, as -o json writes it"},
  };
  return all;
}
// clang-format on

std::optional<Command> command_of(const Key& key) {
  for (const Binding& binding : bindings()) {
    const std::vector<Key> keys = read_keys(binding.keys);
    if (std::ranges::find(keys, key) != keys.end()) return binding.command;
  }
  return std::nullopt;
}

std::string key_help() {
  std::string text;
  for (const std::string_view group : {kMoving, kParts, kFinding, kAbout, kWhatIf, kTaking, kGeneral}) {
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", group);
    for (const Binding& binding : bindings()) {
      if (binding.group == group) text += fmt::format("  {:<12}{}\n", binding.keys, binding.meaning);
    }
  }
  return text;
}

}  // namespace dvrtrace::tui
