#include "collectors/host_texts.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/failed_command.h"
#include "src/base/text.h"

namespace dvrtrace {

namespace {

constexpr std::string_view kMissing = "it counts as missing; what depends on it ends \"unknown\"";

// Output longer than this may have been cut by the one who saved it.
constexpr std::size_t kMaybeCut = 1 << 20;
constexpr std::size_t kMostLinesOfMessage = 3;

// Whether `text` may be a message that is not known here.
bool maybe_message(std::string_view text) {
  return text.size() < 2048 && !text.starts_with('[') && !text.starts_with('{') &&
         lines_of(text).count() <= kMostLinesOfMessage;
}

LineCounts all_lines(std::string_view bytes, LineState state) {
  LineCounts lines;
  lines.count(state, lines_of(bytes).count());
  return lines;
}

}  // namespace

FileReading& HostTexts::add_reading(const HostFile& file) {
  FileReading reading;
  reading.path = file.path;
  reading.command = file.name.command;
  readings_.push_back(std::move(reading));
  return readings_.back();
}

const CommandNote* HostTexts::note_of(const HostFile& file) {
  if (file.name.kind == FileKind::ReturnCodes) return nullptr;
  const auto [notes, is_new] = notes_.try_emplace(file.tree);
  if (is_new) {
    for (const HostFile& each : host_.files) {
      if (each.name.kind != FileKind::ReturnCodes || each.tree != file.tree) continue;
      const FileTree& tree = trees_[each.tree];
      if (const auto bytes = tree.read(tree.files()[each.entry])) notes->second.merge(read_command_notes(*bytes));
    }
  }
  const auto found = notes->second.find(file.path);
  return found == notes->second.end() ? nullptr : &found->second;
}

const HostText& HostTexts::open(const HostFile& file) {
  const auto [found, is_new] = texts_.try_emplace(&file);
  HostText& text = found->second;
  if (!is_new) return text;
  const FileTree& tree = trees_[file.tree];
  const FileEntry& entry = tree.files()[file.entry];
  const std::string name = printable(fmt::format("{}/{}", tree.name(), entry.path));
  auto bytes = tree.read(entry);
  if (!bytes) {
    text.failure = bytes.error().message;
    diagnostics_.error({}, fmt::format("{}: expected a file, found that it cannot be read: {}", name, text.failure),
                       std::string(kMissing));
  } else {
    text.text = sources_.text(sources_.add(name, std::move(*bytes)));
    text.truncated = entry.link_to.find("sos_strings/") != std::string::npos;
    text.failure = failure_of(file, text);
    look_for_cleaning(text);
  }
  text.reading = readings_.size();
  FileReading& reading = add_reading(file);
  reading.source = text.text.id;
  reading.failed = !text.usable();
  reading.failure = text.failure;
  if (reading.failed) {
    reading.lines = all_lines(text.text.bytes, is_binary(text.text.bytes) ? LineState::Unrecognised : LineState::Ignored);
  }
  return text;
}

std::string HostTexts::failure_of(const HostFile& file, const HostText& opened) {
  const std::string_view bytes = opened.text.bytes;
  if (is_binary(bytes)) {
    const auto nuls = std::ranges::count(bytes, '\0');
    diagnostics_.error(opened.text.provenance({0, 0}),
                       fmt::format("expected text, found data: {} of {} bytes are NUL", nuls, bytes.size()), std::string(kMissing));
    return "it holds data and no text";
  }
  if (const auto message = failed_command(bytes)) return printable(message->substr(0, 200));
  const bool empty = trim(bytes.substr(0, 4096)).empty();
  if (empty && !may_be_empty(file.name)) return "the file is empty";
  if (!maybe_message(bytes) && bytes.size() < kMaybeCut) return {};
  const CommandNote* note = note_of(file);
  if (note == nullptr) return {};
  HostText& text = texts_[&file];
  text.truncated = text.truncated || note->truncated;
  if (note->status.value_or(0) == 0) return {};
  // A command that failed after many lines broke off; one with a line or two said why it could not.
  text.truncated = true;
  if (!maybe_message(bytes)) return {};
  return empty ? fmt::format("the command ended with status {}", *note->status)
               : printable(trim(bytes).substr(0, 200));
}

void HostTexts::look_for_cleaning(const HostText& text) {
  if (!cleaned_sign_.empty()) return;
  const std::size_t at = text.text.bytes.substr(0, 65536).find("53:4f:53:");
  if (at == std::string_view::npos) return;
  cleaned_sign_ = fmt::format("the MAC {} in {}", text.text.bytes.substr(at, 17), text.text.name);
}

void HostTexts::close(const HostFile& file, const LineCounts& lines) {
  HostText& text = texts_[&file];
  if (!text.closed) readings_[text.reading].lines = lines;
  text.closed = true;
}

void HostTexts::use(const HostFile& file, const std::string& used_as) {
  std::string& said = readings_[texts_[&file].reading].used_as;
  said += said.empty() ? used_as : ", " + used_as;
}

void HostTexts::pass_over(const HostFile& file) {
  const FileTree& tree = trees_[file.tree];
  const auto bytes = tree.read(tree.files()[file.entry]);
  FileReading& reading = add_reading(file);
  if (bytes) reading.lines = all_lines(*bytes, LineState::Ignored);
  reading.failed = !bytes.has_value();
  reading.failure = bytes ? std::string{} : bytes.error().message;
}

std::vector<FileReading> HostTexts::take_readings() {
  for (FileReading& reading : readings_) {
    // Where the notes were read anyway: they have the command as it was typed.
    for (const auto& [tree, notes] : notes_) {
      const auto found = notes.find(reading.path);
      if (found != notes.end() && !found->second.command.empty()) reading.command = found->second.command;
    }
  }
  std::ranges::sort(readings_, {}, &FileReading::path);
  return std::move(readings_);
}

}  // namespace dvrtrace
