#include "collectors/host_texts.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectors/bug_report.h"
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

// Whether the file is what a command printed, line by line; it then ends with a line end.
bool is_of_lines(const DumpName& name) {
  return name.kind >= FileKind::Flows && name.kind <= FileKind::NamespaceNames &&
         name.form != FileForm::Json && name.form != FileForm::Dump;
}

}  // namespace

FileReading& HostTexts::add_reading(const HostFile& file) {
  FileReading reading;
  reading.path = file.path;
  reading.command = command_of(file.path);
  readings_.push_back(std::move(reading));
  return readings_.back();
}

const CommandNote* HostTexts::note_of(const HostFile& file) {
  // Only commands have a status; configuration and state files are copies.
  if (file.path.find("sos_commands/") == std::string::npos) return nullptr;
  return find_note(notes_of(file.tree), file.path);
}

HostTexts::Notes& HostTexts::notes_of(std::size_t input) {
  const auto [notes, is_new] = notes_.try_emplace(input);
  if (is_new) {
    for (const HostFile& each : host_.files) {
      if (each.name.kind != FileKind::ReturnCodes || each.tree != input) continue;
      const FileTree& tree = trees_[each.tree];
      if (const auto bytes = tree.read(tree.files()[each.entry])) notes->second.texts.push_back(*bytes);
    }
  }
  return notes->second;
}

void HostTexts::read_all(Notes& notes) {
  if (notes.all) return;
  for (const SharedText& text : notes.texts) notes.known.merge(read_command_notes(*text));
  notes.all = true;
}

void HostTexts::note_times(std::vector<FileReading>& readings) {
  for (FileReading& reading : readings) {
    const auto file = std::ranges::lower_bound(host_.files, reading.path, {}, &HostFile::path);
    if (reading.taken || file == host_.files.end() || file->path != reading.path) continue;
    Notes& notes = notes_of(file->tree);
    const auto has_times = [](const SharedText& text) {
      return text->find("\"start_time\"") != std::string::npos;
    };
    if (!notes.all && std::ranges::none_of(notes.texts, has_times)) {
      notes.places.clear();
      notes.texts.clear();
    }
    read_all(notes);
    const auto note = notes.known.find(reading.path);
    if (note == notes.known.end() || !note->second.start || !note->second.end) continue;
    if (*note->second.start <= *note->second.end)
      reading.taken = Taken{*note->second.start, *note->second.end};
  }
}

// Of the notes on some thousand files those on a few are wanted.
const CommandNote* HostTexts::find_note(Notes& notes, const std::string& path) {
  const auto known = notes.known.find(path);
  if (known != notes.known.end()) return &known->second;
  if (notes.all) return nullptr;
  if (notes.places.empty()) {
    for (const SharedText& text : notes.texts) notes.places.emplace_back(*text);
  }
  for (const NotePlaces& places : notes.places) {
    if (auto note = places.find(path)) return &notes.known.emplace(path, std::move(*note)).first->second;
  }
  read_all(notes);
  return find_note(notes, path);
}

const HostText& HostTexts::open(const HostFile& file) {
  const auto [found, is_new] = texts_.try_emplace(&file);
  HostText& text = found->second;
  if (!is_new) return text;
  const FileTree& tree = trees_[file.tree];
  const FileEntry& entry = tree.files()[file.entry];
  const std::string name = printable(fmt::format("{}/{}", tree.name(), entry.path));
  auto bytes = tree.read(entry);
  if (bytes) {
    if (file.section) {
      text.lines_before = static_cast<std::uint64_t>(
          std::ranges::count(std::string_view(**bytes).substr(0, file.section->begin), '\n'));
      text.text = sources_.text(sources_.add(name, section_in_place(**bytes, *file.section)));
    } else {
      text.text = sources_.text(sources_.add(name, std::move(*bytes)));
    }
    text.truncated = entry.cut || entry.link_to.find("sos_strings/") != std::string::npos;
    judge(file, text);
    look_for_cleaning(file, text);
  } else {
    text.failure = bytes.error().message;
    diagnostics_.error(
        {}, fmt::format("{}: expected a file, found that it cannot be read: {}", name, text.failure),
        std::string(kMissing));
  }
  text.reading = readings_.size();
  FileReading& reading = add_reading(file);
  reading.source = text.text.id;
  reading.failed = !text.usable();
  reading.failure = text.failure;
  if (reading.failed) {
    const std::string_view own = text.text.bytes.substr(text.lines_before);
    const bool data = is_binary(own);
    reading.lines = all_lines(own, data ? LineState::Unrecognised : LineState::Ignored);
  }
  return text;
}

// Finds out whether there is a dump in the text, and whether all of it.
void HostTexts::judge(const HostFile& file, HostText& text) {
  const std::string_view bytes = text.text.bytes.substr(text.lines_before);
  const bool empty = trim(bytes.substr(0, 4096)).empty();
  if (is_binary(bytes)) {
    report_data(text);
  } else if (const auto message = failed_command(bytes)) {
    text.failure = printable(message->substr(0, 200));
  } else if (empty && !may_be_empty(file.name)) {
    text.failure = "the file is empty";
  } else {
    if (!empty && is_of_lines(file.name) && !bytes.ends_with('\n')) report_break(text);
    if (empty || maybe_message(bytes) || bytes.size() >= kMaybeCut) apply_note(file, text);
  }
}

// What is known of the command beside its output.
void HostTexts::apply_note(const HostFile& file, HostText& text) {
  const CommandNote* note = note_of(file);
  if (note == nullptr) return;
  const bool failed = note->status.value_or(0) != 0;
  text.truncated = text.truncated || note->truncated || failed;
  // A command that failed after many lines broke off; one with a line or two said why it could not.
  if (!failed || !maybe_message(text.text.bytes)) return;
  const std::string_view message = trim(text.text.bytes);  // a section has no note
  text.failure = message.empty() ? fmt::format("the command ended with status {}", *note->status)
                                 : printable(message.substr(0, 200));
}

void HostTexts::report_data(HostText& text) {
  const std::string_view bytes = text.text.bytes;
  const auto nuls = std::ranges::count(bytes, '\0');
  text.failure = "it holds data and no text";
  diagnostics_.error(text.text.provenance({0, 0}),
                     fmt::format("expected text, found data: {} of {} bytes are NUL", nuls, bytes.size()),
                     std::string(kMissing));
}

void HostTexts::report_break(HostText& opened) {
  const auto end = static_cast<std::uint32_t>(opened.text.bytes.size());
  opened.truncated = true;
  diagnostics_.warning(opened.text.provenance({end - 1, end}),
                       "expected a line end, found the end of the file",
                       "the dump breaks off; that something is not in it proves nothing");
}

// sos clean gives every MAC this prefix. A host without any is none that a packet visits.
void HostTexts::look_for_cleaning(const HostFile& file, const HostText& opened) {
  const FileKind kind = file.name.kind;
  const bool has_macs = kind == FileKind::Links || kind == FileKind::Fdb || kind == FileKind::Neighbours;
  if (!has_macs || !cleaned_sign_.empty()) return;
  const std::string_view bytes = opened.text.bytes;
  const std::size_t at = bytes.find("53:4f:53:");
  if (at != std::string_view::npos)
    cleaned_sign_ = fmt::format("the MAC {} in {}", bytes.substr(at, 17), opened.text.name);
}

void HostTexts::close(const HostFile& file, const LineCounts& lines) {
  HostText& text = texts_[&file];
  if (!text.closed) {
    LineCounts& counted = readings_[text.reading].lines = lines;
    std::uint64_t& ignored = counted.by_state[static_cast<std::size_t>(LineState::Ignored)];
    ignored -= std::min(ignored, text.lines_before);
  }
  text.closed = true;
}

void HostTexts::use(const HostFile& file, const std::string& used_as) {
  std::string& said = readings_[texts_[&file].reading].used_as;
  said += said.empty() ? used_as : ", " + used_as;
}

void HostTexts::pass_over(const HostFile& file) {
  const FileTree& tree = trees_[file.tree];
  const FileEntry& entry = tree.files()[file.entry];
  FileReading& reading = add_reading(file);
  if (entry.lines) return reading.lines.count(LineState::Ignored, *entry.lines);
  auto bytes = tree.read(entry);
  if (bytes && file.section) bytes = section_alone(*bytes, *file.section);
  if (bytes) reading.lines = all_lines(**bytes, LineState::Ignored);
  reading.failed = !bytes.has_value();
  reading.failure = bytes ? std::string{} : bytes.error().message;
}

std::vector<FileReading> HostTexts::take_readings() {
  for (FileReading& reading : readings_) {
    // Where the notes were read anyway: they have the command as it was typed.
    for (const auto& [tree, notes] : notes_) {
      const auto found = notes.known.find(reading.path);
      if (found != notes.known.end() && !found->second.command.empty())
        reading.command = found->second.command;
    }
  }
  std::ranges::sort(readings_, {}, &FileReading::path);
  return std::move(readings_);
}

}  // namespace dvrtrace
