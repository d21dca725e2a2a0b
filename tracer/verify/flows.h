// Flows: the sessions of VMs that captures hold, found in one pass and without a question.
//
// A session is what one VM's port sees of one pair of addresses and ports. Of each, the first packets each way are kept with all
// their sightings; of the others only the number. Memory is that of the sessions, not of the packets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/net/mac.h"
#include "src/trace/verification.h"
#include "tracer/verify/follow.h"
#include "tracer/verify/points.h"
#include "tracer/verify/read_captures.h"

namespace dvrtrace::verify {

// A VM's port, at the device where all of its packets pass.
struct Station {
  std::string port;  // Neutron's id, or whatever names it in a question
  Mac mac;
};

struct Session {
  std::uint32_t station = 0;  // point
  Ip own, other;              // addresses as the VM sees them
  std::uint8_t protocol = 0, icmp_type = 0;
  std::uint16_t own_port = 0, other_port = 0;
  bool asks = false;       // the first packet was the VM's own
  bool begun = false;      // of TCP: its first packet was seen
  std::int64_t first = 0;  // its time
  std::uint64_t sent = 0, received = 0;
  std::uint8_t ttl = 0;                                // of the first packet
  std::vector<std::shared_ptr<const Packet>> packets;  // that are kept
};

struct Flows {
  Points points;
  std::vector<Capture> captures;
  std::vector<Session> sessions;  // in the order of their first packets
  // Of each kept packet the sessions that have it: both ends see it.
  std::unordered_map<const Packet*, std::vector<std::size_t>> sessions_of;
  std::uint64_t passed_over = 0;  // sessions beyond the most that are kept
};

// Only captures whose place is named are read. `station_at`: the VM's port that a point is, if it is one.
Flows collect_flows(std::vector<CaptureSource>& sources, const std::map<CapturePoint, Station>& stations);

}  // namespace dvrtrace::verify
