#include "collectors/return_codes.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "collectors/json_reader.h"

namespace dvrtrace {

namespace {

constexpr std::string_view kBeginning = "\"sos_commands/";  // of the path of a command's output, in quotes

std::optional<int> status_of(std::string_view text) {
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return status;
}

// A time of this age of computers; what else a number may say is none.
std::optional<double> time_of(std::string_view text) {
  constexpr double kLatest = 1e11;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && seconds > 0 && seconds < kLatest ? std::optional(seconds) : std::nullopt;
}

// An object of either file; they name the same things differently.
void read_note(JsonReader& json, CommandNotes& notes) {
  std::string path;
  CommandNote note;
  json.enter('{');
  while (json.next('}')) {
    const std::string key = json.key();
    if (key == "file" || key == "filepath")
      path = json.text();
    else if (key == "cmd" || key == "exec")
      note.command = json.text();
    else if (key == "rc" || key == "return_code")
      note.status = status_of(json.skip());
    else if (key == "truncated")
      note.truncated = json.skip() == "true";
    else if (key == "start_time")
      note.start = time_of(json.skip());
    else if (key == "end_time")
      note.end = time_of(json.skip());
    else
      json.skip();
  }
  if (!path.empty()) notes.insert_or_assign(std::move(path), std::move(note));
}

void read_list(JsonReader& json, CommandNotes& notes) {
  if (!json.enter('[')) {
    json.skip();
    return;
  }
  while (json.next(']')) {
    if (json.peek() == '{')
      read_note(json, notes);
    else
      json.skip();
  }
}

// Goes into the member `key` of an object, past all others. False when there is none.
bool find_member(JsonReader& json, std::string_view key) {
  if (!json.enter('{')) return false;
  while (json.next('}')) {
    if (json.key() == key) return true;
    json.skip();
  }
  return false;
}

void read_manifest(JsonReader& json, CommandNotes& notes) {
  if (!find_member(json, "components") || !find_member(json, "report") || !find_member(json, "plugins"))
    return;
  if (!json.enter('{')) return;
  while (json.next('}')) {
    json.key();
    if (!json.enter('{')) {
      json.skip();
      continue;
    }
    while (json.next('}')) {
      if (json.key() == "commands")
        read_list(json, notes);
      else
        json.skip();
    }
  }
}

}  // namespace

NotePlaces::NotePlaces(std::string_view text) : text_(text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    at = static_cast<const char*>(
        ::memmem(at, static_cast<std::size_t>(end - at), kBeginning.data(), kBeginning.size()));
    if (at == nullptr) return;
    const char* const path = at + 1;
    const auto* const quote =
        static_cast<const char*>(std::memchr(path, '"', static_cast<std::size_t>(end - path)));
    if (quote == nullptr) return;
    const auto place = static_cast<std::size_t>(at - text.data());
    const auto [known, is_new] = places_.try_emplace({path, static_cast<std::size_t>(quote - path)}, place);
    if (!is_new) known->second = std::string_view::npos;
    at = quote;
  }
}

// The object that names the path begins at the last brace before it: what stands in front of the path in one has no braces of its own.
std::optional<CommandNote> NotePlaces::find(std::string_view path) const {
  const auto place = places_.find(path);
  if (place == places_.end() || place->second == std::string_view::npos) return std::nullopt;
  const std::size_t begin = text_.rfind('{', place->second);
  if (begin == std::string_view::npos) return std::nullopt;
  JsonReader json(text_, begin);
  CommandNotes notes;
  read_note(json, notes);
  const auto found = notes.find(path);
  if (json.failed() || found == notes.end()) return std::nullopt;
  return std::move(found->second);
}

CommandNotes read_command_notes(std::string_view text) {
  CommandNotes notes;
  JsonReader json(text);
  if (json.peek() == '[')
    read_list(json, notes);
  else
    read_manifest(json, notes);
  return notes;
}

}  // namespace dvrtrace
