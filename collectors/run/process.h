// Programs started by this one: each from a list of words, no shell in between, within bounds of time and size.
//
//   const Ran ran = run_process({"ip", "netns"}, {}, {.time = 10s}, [&](std::string_view piece) { text += piece; });
//   if (!ran.started()) ...        // ran.failure says why
//   if (ran.timed_out) ...         // what it printed until then was handed over
//
// Children stay in this process's group, so that an interrupt from the terminal reaches them as well.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dvrtrace {

using Words = std::vector<std::string>;
using WallClock = std::chrono::system_clock;

struct ProcessLimits {
  std::chrono::milliseconds time =
      std::chrono::seconds(30);         // then it is asked to end, and soon after made to
  std::uint64_t output = 256ULL << 20;  // bytes of standard output; more end it
  std::size_t errors = 16 << 10;        // bytes that are kept of standard error
  const std::atomic<bool>* hold = nullptr;  // keeps its standard input open, behind `input`, until this is false
};

struct Ran {
  std::string failure;  // why it could not be started; "" when it was
  std::optional<int>
      status;  // as a shell has it: 128 and the signal's number for one that was killed; none: it is
               // still there, since it did not even end when it was made to
  bool timed_out = false;
  bool too_long = false;    // its output went beyond the limit
  std::string errors;       // standard error, its beginning
  std::uint64_t bytes = 0;  // of standard output
  WallClock::time_point start, end;

  bool started() const { return failure.empty(); }
  bool good() const { return started() && status == 0 && !timed_out && !too_long; }
};

// Where standard output goes, piece by piece as it comes.
using Sink = std::function<void(std::string_view)>;

// The program that `name` means, in PATH and where systems keep those of the administrator; "" when there is none.
std::string find_program(std::string_view name);

// Runs a program until it ends. `input` is what it reads. Its messages are in English, whatever the user's language.
// Safe from several threads.
Ran run_process(const Words& words, std::string_view input, const ProcessLimits& limits, const Sink& sink);

// The words of a line that are separated by blanks. No quoting is known.
Words words_in(std::string_view line);

// A word as a POSIX shell is to be given it.
std::string shell_quoted(std::string_view word);

}  // namespace dvrtrace
