// What a host without dvrtrace sends: the script that travels to it, and the reading of what comes back.
//
// The script is POSIX sh, made from the list of commands and given to `sh -s` on its standard input. It writes nothing to
// the host. Its output is the output of the commands, one after the other, with lines between that begin with a word
// which nobody there can have known before:
//
//   WORD start UID EPOCH UPTIME        once, first
//   WORD prefix TOOL PREFIX            for each tool that was found
//   WORD run KEY UPTIME SUBJECT        then standard output, as it is
//   WORD end STATUS UPTIME             then standard error
//   WORD done                          once, last
//
// An end of line stands in front of each, so that a dump without one at its end comes out as it was.
#pragma once

#include <string>
#include <string_view>

#include "collectors/gather/host_folder.h"
#include "collectors/gather/report.h"

namespace dvrtrace::gather {

inline constexpr std::uint64_t kMostOutput = 256ULL << 20;  // bytes of one command's

std::string random_word();
// The word of a stream, by its first mark; "" when there is none in its beginning.
std::string word_of(std::string_view beginning);
std::string script_for(const std::string& word);

// The first line that says something, harmless to a terminal.
std::string first_line(std::string_view errors);

// Takes the pieces as they come, and writes each dump to the folder. Total: what a host sends can at most be a wrong
// dump of itself. Bounded: nothing is kept but a line.
class StreamReader {
 public:
  StreamReader(const std::string& word, const HostFolder& folder, HostReport& report)
      : word_(word + " "), folder_(folder), report_(report) {}

  void take(std::string_view piece);
  // What the last command said is complete. Says whether the script came to its end.
  bool finish();
  std::size_t ended() const { return report_.runs.size(); }

 private:
  enum class At { Before, Output, Errors, After };
  void take_line(std::string_view line);
  void take_content(std::string_view bytes);
  void take_mark(std::string_view mark);
  void begin(std::string_view rest);
  void end(std::string_view rest);
  void close();
  double time_of(std::string_view uptime) const;

  std::string word_;
  const HostFolder& folder_;
  HostReport& report_;
  At at_ = At::Before;
  std::string line_;       // the last, which has not ended yet
  bool in_line_ = false;   // a line too long to be kept, and so no mark
  bool line_end_ = false;  // an end of line that may belong to the mark behind it
  CommandRun run_;
  bool running_ = false, done_ = false, bad_ = false;
  File file_;
  std::string errors_;
  double epoch_ = 0, uptime_ = 0;
  std::uint64_t passed_ = 0;
  std::size_t runs_ = 0;
};

}  // namespace dvrtrace::gather
