// verify: do captures agree with a trace?
//
//   Verifier verifier(trace, asked);
//   const std::uint32_t point = verifier.capture({"a.pcap", {"cmp1", "", "eth1"}, "name"});   // before its packets
//   verifier.add(capture, record, link_type);
//   Verification verification = verifier.finish(cloud);
//
// Packets come in one by one and are not kept: memory is that of the packets whose sightings may still come
// (follow.h), and of what all of them together show (tally.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "src/trace/trace.h"
#include "src/trace/verification.h"
#include "tracer/verify/capture_reader.h"
#include "tracer/verify/follow.h"
#include "tracer/verify/judge.h"
#include "tracer/verify/tally.h"
#include "tracer/verify/wanted.h"

namespace dvrtrace::verify {

// What the cloud's dumps say besides the trace. Neither has to be given.
struct Cloud {
  std::function<bool(const CapturePoint&)> has_device;
  // By which lines of the dumps a packet, last seen at a crossing of the direction, may come to a device.
  std::function<std::vector<Explanation>(const Direction& direction, std::optional<std::size_t> after,
                                         const CapturePoint& point, const Headers& packet)>
      explain;
};

// A packet of the flow with its place in the prediction, for whoever wants to write it down.
struct Followed {
  const Points& points;
  const Packet& packet;
  std::size_t direction;
  const Judged& judged;
};

class Verifier {
 public:
  // `keep_bytes`: sightings keep their frames, for `each`.
  Verifier(const Trace& trace, const Asked& asked, TunnelPorts ports = {}, bool keep_bytes = false,
           std::function<void(const Followed&)> each = {});

  // Makes a capture known, with its point as far as that is known; gives its number.
  std::size_t capture(Capture capture);
  Capture& at(std::size_t capture) { return captures_[capture]; }

  void add(std::size_t capture, const Record& record, int link_type);
  // Whether the packet may be of the flow: what there is to know before its time has come. `look` is for take().
  Wanted::Match look(std::size_t capture, const Record& record, int link_type, Look& look);
  void take(std::size_t capture, const Record& record, const Look& look, const Wanted::Match& match);

  // A packet whose sightings were put together elsewhere, at points of those numbers.
  void adopt(const Packet& packet, const Points& points);

  Verification finish(const Cloud& cloud);

 private:
  void close(Packet& packet);
  void note_error(const Packet& packet);

  const Trace& trace_;
  Wanted wanted_;
  bool keep_bytes_;
  std::function<void(const Followed&)> each_;
  Points points_;
  std::vector<bool> captured_;  // of each point
  std::vector<Capture> captures_;
  std::vector<std::uint64_t> strange_;   // of each capture: frames of a type that nobody knows
  std::vector<std::uint32_t> point_of_;  // of each capture
  std::vector<Tally> tallies_;           // of the directions
  std::unique_ptr<Follower> follower_;
  Judged judged_;
  std::map<std::string, IcmpErrorSighting> errors_[2];
  std::map<std::string, OtherNetwork> others_;
  struct Unanswered {
    std::uint32_t point = 0;
    std::uint64_t packets = 0;
    std::int64_t time = 0;
  };
  std::map<std::uint32_t, Unanswered> questions_;  // for MAC addresses, by point
  std::uint64_t answers_ = 0;                      // to a request that should have none
};

}  // namespace dvrtrace::verify
