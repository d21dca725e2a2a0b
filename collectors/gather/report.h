// HostReport: what became of collecting one host: every command that was run, and what stood in the way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/gather/commands.h"

namespace dvrtrace::gather {

struct CommandRun {
  const Command* command = nullptr;
  std::string subject, path;  // path: of its output, below the host's folder
  std::string exec;           // as it was run
  std::optional<int> status;  // none: it never ended
  bool timed_out = false, cut = false;
  double start = 0, end = 0;  // seconds since 1970, by the host's clock
  std::uint64_t bytes = 0;
  std::string message;  // what it complained of; "" nothing

  bool good() const { return status == 0 && !timed_out && !cut; }
  bool not_installed() const { return status == 127; }
};

// A command that only complained leaves its complaint, as sos has it. One that is not there, or whose file is not,
// leaves nothing.
inline bool leaves_nothing(const CommandRun& run) {
  return run.bytes == 0 && !run.good() && (run.not_installed() || run.command->folder.empty());
}

struct HostReport {
  std::string host;     // as the user calls it
  std::string folder;   // where its dumps are; "" when there are none
  std::string failure;  // why it ended early; "" when it did not
  bool root = true;     // whether the commands ran as root
  bool sudo_asks = false;
  std::array<std::optional<std::string>, kTools>
      prefixes;  // in front of a tool's commands; none: it is not there
  std::vector<CommandRun> runs;
  double start = 0, end = 0;

  // What a trace will miss, in words: "flows of br-int: time limit". Empty: all that is needed is there.
  std::vector<std::string> lacks() const;
  double command_seconds() const;  // of all commands together
};

// The account of a host as JSON, laid out as the manifest of a sos report. `tool`: the program and its version.
std::string manifest_json(const HostReport& report, const std::string& tool);

}  // namespace dvrtrace::gather
