// Follower: puts sightings of one packet together.
//
// Sightings come in from any number of captures, each in the order of its own clock; clocks may differ by any
// amount. A packet stays open until the end, so that its sightings may come in any order; only when more are
// open than fit in memory is the oldest closed.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "src/trace/headers.h"
#include "tracer/verify/dissect.h"
#include "tracer/verify/points.h"

namespace dvrtrace::verify {

struct Sighting {
  std::uint32_t point = 0;  // index of a capture point
  std::int64_t time = 0;    // by the clock of the point's host
  Headers headers;
  bool ethernet = true;
  std::uint32_t sequence = 0, payload = 0;  // of a segment of TCP
  std::uint32_t length = 0;                 // of the frame
  int link_type = 1;
  std::shared_ptr<const std::vector<std::uint8_t>> bytes;  // of the frame, when they are kept
};

struct Packet {
  Identity identity;
  std::uint8_t directions = 0;      // that it may be of, a bit each
  bool icmp_error = false;          // about a packet of the flow
  std::vector<Sighting> sightings;  // in the order in which they were added
};

class Follower {
 public:
  using Close = std::function<void(Packet&)>;

  Follower(const Points& points, Close close, std::size_t most_sightings = 200'000)
      : points_(points), close_(std::move(close)), most_(most_sightings) {}

  void add(const Identity& identity, std::uint8_t directions, bool icmp_error, Sighting sighting);
  void finish();  // closes what is open, in the order in which it was first seen
  std::uint64_t closed_early() const { return closed_early_; }

 private:
  bool belongs(const Packet& packet, const Identity& identity, const Sighting& sighting) const;
  void close_oldest();

  const Points& points_;
  Close close_;
  std::size_t most_, held_ = 0;
  std::uint64_t closed_early_ = 0;
  std::deque<std::unique_ptr<Packet>> open_;
  std::unordered_multimap<std::uint64_t, Packet*> by_key_;
};

}  // namespace dvrtrace::verify
