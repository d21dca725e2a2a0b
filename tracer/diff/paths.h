// Paths: the same questions asked of two networks, and what of the answers differs.
//
// A way is compared by the places on it, the translations of addresses and the tunnels' ends: numbers that
// agents and switches give out do not count, nor do copies of floods, which go by what was learnt.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/model/network.h"
#include "src/trace/diff.h"
#include "tracer/engine/ask.h"

namespace dvrtrace::diff {

// What counts of an answer.
struct Answer {
  PathAnswer shown;
  std::vector<std::pair<Verdict, Reason>> directions;
  std::set<Provenance> cited;  // rows that steps on the way name
  std::set<std::pair<std::string, std::string>>
      places;            // host, and bridge or namespace ("" the root namespace)
  std::string from, to;  // as the trace calls the ends
  bool same_verdict(const Answer& other) const {
    return shown.failure == other.shown.failure && directions == other.directions;
  }
  bool same_way(const Answer& other) const { return shown.way == other.shown.way; }
};

Answer answer_of(const Asker& asker, const Ask& ask);

// A question with both answers, of which it is not known yet whether they differ in rows.
struct Asked {
  std::size_t question = 0;  // of the questions
  Answer before, after;
};

// Asks all, on all cores; in the order of the questions.
std::vector<Asked> ask_both(const Network& before, const Network& after, std::span<const Ask> questions);

// "icmp", "tcp/80", "icmp of 1450 bytes"
std::string packet_words(const PacketSpec& packet);

}  // namespace dvrtrace::diff
