// From what all packets together show to the verification: states of crossings, where packets stop, clocks,
// and whether captures and prediction agree. Where captures cannot tell, that is the answer.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "src/trace/trace.h"
#include "src/trace/verification.h"
#include "tracer/verify/points.h"
#include "tracer/verify/tally.h"

namespace dvrtrace::verify {

struct Cloud;

struct Findings {
  const Trace& trace;
  const Points& points;
  const std::vector<bool>& captured;                                 // of each point
  const std::vector<Tally>& tallies;                                 // of each direction
  std::map<std::uint32_t, std::vector<const Capture*>> captures_of;  // of each point
  std::uint64_t answers = 0;                                         // to a request that should have none
  const Cloud& cloud;
  // Questions for a MAC address by the sender of a direction's packets, where there were no packets.
  struct Question {
    std::int64_t time = 0;
    std::uint32_t point = 0;
    std::uint64_t packets = 0;
    auto operator<=>(const Question&) const = default;
  };
  std::vector<Question> questions;
};

Verification conclude(const Findings& findings);
// Errors that came back and that no prediction has.
void conclude_errors(Verification& verification);
// The agreement of the whole, from that of the directions.
void conclude_whole(const Trace& trace, Verification& verification);

}  // namespace dvrtrace::verify
