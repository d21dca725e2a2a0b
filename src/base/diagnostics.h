// Diagnostics: what was wrong with the input, and what follows from it for the user.
//
// Bad input is normal. A reader reports it here and goes on; nothing it could read is lost. Every
// line of every text ends in one of four states, and the counts add up to the lines of the text.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "src/base/source.h"

namespace dvrtrace {

enum class Severity { Note, Warning, Error };

struct Diagnostic {
  Severity severity = Severity::Error;
  Provenance at;        // not known: about an input as a whole, which `message` then names
  std::string message;  // what was expected and what was found
  std::string hint;     // what follows from it; may be empty
  bool operator==(const Diagnostic&) const = default;
};

enum class LineState : std::uint8_t {
  Modelled,      // became a value that is used
  Ignored,       // known, and does not bear on forwarding
  Unmodelled,    // known, does bear on forwarding; what depends on it ends Unknown
  Unrecognised,  // diagnosed
};
inline constexpr std::size_t kLineStates = 4;

struct LineCounts {
  std::array<std::uint64_t, kLineStates> by_state{};
  void count(LineState state, std::uint64_t lines = 1) {
    by_state[static_cast<std::size_t>(state)] += lines;
  }
  std::uint64_t of(LineState state) const { return by_state[static_cast<std::size_t>(state)]; }
  std::uint64_t total() const;
  LineCounts& operator+=(const LineCounts& other);
  bool operator==(const LineCounts&) const = default;
};

// Where readers report. Not shared between threads: each reads into its own, which are merged.
// A text with very many faults keeps the first kMaxPerSource of them and the number of the rest.
class Diagnostics {
 public:
  static constexpr std::size_t kMaxPerSource = 50;

  void report(Diagnostic diagnostic);
  void error(Provenance at, std::string message, std::string hint = {});
  void warning(Provenance at, std::string message, std::string hint = {});
  void note(Provenance at, std::string message, std::string hint = {});

  const std::vector<Diagnostic>& all() const { return all_; }
  std::uint64_t suppressed(SourceId source) const;
  bool empty() const { return all_.empty(); }
  void merge(Diagnostics other);

 private:
  std::vector<Diagnostic> all_;
  std::map<SourceId, std::uint64_t> per_source_;
};

// What one reader reports while it reads one text.
struct ReadLog {
  Diagnostics& diagnostics;
  LineCounts lines;
};

// The diagnostic as compilers print theirs: "file:line:column: error: message", the line cut to
// what fits around the place, a caret line, and the hint. Control characters come out harmless.
std::string render(const Diagnostic& diagnostic, const Sources& sources);

}  // namespace dvrtrace
