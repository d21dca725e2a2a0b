// Verification: what captures say about a trace, as a value.
//
// It stands beside the trace that it judges: its directions are those of the trace, in their order, and each
// crossing of a direction has its verification at the same index. Like a trace it holds copies of the names
// that it needs, so it can be saved and shown where neither snapshot nor captures are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/source.h"
#include "src/trace/headers.h"

namespace dvrtrace {

enum class Agreement { Agrees, Disagrees, CannotTell };
std::string_view name(Agreement agreement);

// A device at which packets are captured.
struct CapturePoint {
  std::string host, netns, device;  // netns "" is the root namespace
  auto operator<=>(const CapturePoint&) const = default;
};
std::string to_string(const CapturePoint& point);  // "cmp1/root/eth1"

// One interface of one capture file.
struct Capture {
  std::string file;
  CapturePoint point;     // without a device: nobody knows where it was taken
  std::string placed_by;  // "name", "interface", "content"; "" not placed
  bool in_dumps = true;   // false: a device that no dump shows; what is seen there is not judged
  std::uint64_t packets = 0, matching = 0, malformed = 0, cut_short = 0;
  std::optional<std::int64_t> first, last;  // nanoseconds since 1970
  std::string fault;                        // damage, or why it cannot be read; "" none
  bool incomplete = false;                  // what it does not show may have been there all the same
};

enum class CrossingState {
  Seen,     // as predicted
  Altered,  // with other headers than predicted
  NotSeen,  // captured here, and not seen
  Missed,   // captured here and not seen, though the packet went on: the capture lost it, or it went around
  CannotTell,  // captured here, but the capture is cut or damaged, or not of that time
  NotCaptured,
};
std::string_view name(CrossingState state);

struct Alteration {
  std::string field, expected, found;  // the field's name as in the JSON of a trace
  std::uint64_t packets = 0;
};

// Between this crossing and an earlier one of its direction.
struct Latency {
  std::size_t from = 0;  // the earlier crossing
  std::uint64_t samples = 0;
  std::int64_t median = 0, p99 = 0;  // nanoseconds
  bool across_clocks = false;        // two hosts' clocks are in it
  bool corrected = false;            // ... whose offset was estimated and taken out
};

struct CrossingVerification {
  CrossingState state = CrossingState::NotCaptured;
  std::uint64_t packets = 0;     // seen here
  std::uint64_t expected = 0;    // that passed the captured crossing before it
  std::uint64_t lost = 0;        // of those: not seen here, nor behind it
  std::uint64_t duplicates = 0;  // seen once more, just the same
  std::uint64_t merged = 0;      // segments that a card had merged or split
  std::vector<Alteration> altered;
  std::optional<Latency> latency;
  std::string note;
};

struct Explanation {       // a line of a dump by which a packet may go where it was not expected
  std::string kind, text;  // "route", "ip-rule", "flow"
  Provenance at;
};

// A packet of the flow where the prediction has none.
struct UnpredictedSighting {
  CapturePoint point;
  Headers packet;
  std::uint64_t packets = 0;
  bool copy = false;                 // the packet went the predicted way as well
  std::optional<std::size_t> after;  // the crossing on the way behind which it was seen
  std::vector<Explanation> explained_by;
};

struct IcmpErrorSighting {  // an error about a packet of the flow
  CapturePoint point;
  Ip sender;
  std::uint8_t type = 0, code = 0;
  std::uint64_t packets = 0;
};

// Where packets of a direction were last seen.
struct PacketStop {
  CapturePoint after;                         // where they were seen last; it may be a branch
  std::optional<std::size_t> after_crossing;  // none: `after` was not predicted
  std::optional<std::size_t> way_end;         // the last crossing on the way that saw them
  std::optional<CapturePoint> before;         // the next captured crossing, where none was seen
  std::vector<std::size_t> hops;              // of the direction, between the way's end and `before`
  std::uint64_t packets = 0;                  // that went no further
  bool predicted = false;                     // the prediction ends there too
  bool proven = false;                        // captured behind it, and nothing seen
  bool resolution = false;                    // it is the question for a MAC address that nobody answers
};

struct DirectionVerification {
  std::string name;  // "request", "reply"
  Agreement agreement = Agreement::CannotTell;
  std::string text;               // why, in words
  std::uint64_t packets = 0;      // different packets of the flow that were seen
  std::uint64_t passed_over = 0;  // of the flow's addresses, but with a TTL that the prediction is not about
  std::vector<CrossingVerification> crossings;
  std::vector<UnpredictedSighting> unpredicted;
  std::vector<IcmpErrorSighting> errors;
  std::optional<PacketStop> stop;
};

struct ClockOffset {
  std::string host, reference;
  std::int64_t nanoseconds = 0;  // how much the host's clock is ahead of the reference's
  std::uint64_t samples = 0;
};

// Packets with the flow's addresses that are not the flow's: another tenant's.
struct OtherNetwork {
  CapturePoint point;
  Headers packet;
  std::uint64_t packets = 0;
};

struct Verification {
  Agreement agreement = Agreement::CannotTell;
  std::string text;
  std::vector<Capture> captures;
  std::vector<DirectionVerification> directions;
  std::vector<ClockOffset> clocks;
  std::vector<OtherNetwork> others;
  std::vector<std::pair<CapturePoint, std::uint64_t>>
      elsewhere;                // packets of the flow where no dump shows the way
  std::uint64_t undecided = 0;  // packets that had to be judged early, because there were too many at once
};

}  // namespace dvrtrace
