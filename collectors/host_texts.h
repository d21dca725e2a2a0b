// HostTexts: the files of one host as texts, each read once, and what became of each.
//
// Opening a file is where it shows that there is no dump in it: it cannot be read, it is empty where
// its command always prints something, it holds the message of a command that failed, or it is no
// text at all. Such a file is not parsed, and the next that says the same is looked for.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "collectors/catalog.h"
#include "collectors/return_codes.h"
#include "src/base/diagnostics.h"
#include "src/base/source.h"
#include "src/snapshot/host.h"

namespace dvrtrace {

struct HostText {
  SourceText text;
  std::string failure;     // why there is no dump in it; "" when there is
  bool truncated = false;  // its beginning is lost, or the command broke off
  bool closed = false;
  std::size_t reading = 0;
  std::uint64_t lines_before = 0;  // empty lines that stand for other sections of the file
  bool usable() const { return failure.empty(); }
};

class HostTexts {
 public:
  HostTexts(const HostFiles& host, std::span<const FileTree> trees, Sources& sources,
            Diagnostics& diagnostics)
      : host_(host), trees_(trees), sources_(sources), diagnostics_(diagnostics) {}

  const HostText& open(const HostFile& file);
  bool opened(const HostFile& file) const { return texts_.contains(&file); }
  // Notes what reading gave, and what became of it. A file that is never used was read for comparison.
  void close(const HostFile& file, const LineCounts& lines);
  bool closed(const HostFile& file) { return open(file).closed; }
  void use(const HostFile& file, const std::string& used_as);
  // Counts the lines of a file that nothing is read from.
  void pass_over(const HostFile& file);

  // A sign that the report went through `sos clean`, in one of the texts; "" when there is none.
  const std::string& cleaned_sign() const { return cleaned_sign_; }
  std::vector<FileReading> take_readings();  // ascending by path
  // Adds when each dump was taken, to the readings of this host.
  void note_times(std::vector<FileReading>& readings);

 private:
  struct Notes {
    std::vector<SharedText> texts;
    std::vector<NotePlaces> places;  // in each; made when the first is asked for
    CommandNotes known;
    bool all = false;  // are known
  };

  FileReading& add_reading(const HostFile& file);
  const CommandNote* note_of(const HostFile& file);
  Notes& notes_of(std::size_t tree);
  static void read_all(Notes& notes);
  static const CommandNote* find_note(Notes& notes, const std::string& path);
  void judge(const HostFile& file, HostText& text);
  void apply_note(const HostFile& file, HostText& text);
  void report_data(HostText& text);
  void report_break(HostText& text);
  void look_for_cleaning(const HostFile& file, const HostText& opened);

  const HostFiles& host_;
  std::span<const FileTree> trees_;
  Sources& sources_;
  Diagnostics& diagnostics_;
  std::map<const HostFile*, HostText> texts_;
  std::vector<FileReading> readings_;
  std::map<std::size_t, Notes> notes_;  // by input
  std::string cleaned_sign_;
};

}  // namespace dvrtrace
