// Tally: what all packets of one direction together show. Its size depends on the prediction, not on the
// number of packets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/trace/verification.h"
#include "tracer/verify/judge.h"
#include "tracer/verify/points.h"
#include "tracer/verify/samples.h"

namespace dvrtrace::verify {

// What of the sequence space of TCP was seen at a point: how segments that a card merged or split are found.
class Coverage {
 public:
  void add(std::uint32_t from, std::uint32_t length);
  bool covers(std::uint32_t from, std::uint32_t length) const;

 private:
  static constexpr std::size_t kMost = 4096;
  std::map<std::uint32_t, std::uint32_t> ranges_;  // begin to end, apart from each other
};

struct CrossingTally {
  std::uint64_t seen = 0, intact = 0;  // intact: without differences
  std::uint64_t passed_before = 0;     // packets that the captured crossing before it saw
  std::uint64_t lost = 0;              // ... of which nothing was seen from here on
  std::uint64_t holes = 0;             // not seen here, but behind
  std::uint64_t duplicates = 0, merged = 0;
  std::map<std::pair<std::uint16_t, std::string>, Alteration> altered;  // by field and what was found
};

struct ExtraTally {
  std::uint32_t point = 0;
  Headers packet;
  std::uint64_t packets = 0, copies = 0;
  std::optional<std::size_t> after;
};

class Tally {
 public:
  Tally(Expected expected, const Points& points, const std::vector<bool>& captured)
      : expected_(std::move(expected)),
        points_(points),
        captured_(captured),
        crossings_(expected_.direction->crossings.size()) {}

  const Expected& expected() const { return expected_; }
  void saw(const Sighting& sighting) {  // of a packet that may be of this direction
    if (sighting.payload != 0) coverage_[sighting.point].add(sighting.sequence, sighting.payload);
  }
  void add(const Packet& packet, const Judged& judged);

  std::uint64_t packets = 0, other_ttl = 0;
  const std::vector<CrossingTally>& crossings() const { return crossings_; }
  const std::map<std::pair<std::size_t, std::size_t>, Samples>& times() const { return times_; }
  const std::map<std::string, ExtraTally>& extras() const { return extras_; }
  // Packets by the last crossing on the way where they were seen.
  const std::map<std::size_t, std::uint64_t>& reached() const { return reached_; }
  // How long after the last crossing on the way a packet was seen elsewhere, by that crossing, the point, and whether that was predicted
  // there. Without such a crossing (kNone): after it was first seen.
  struct Beyond {
    std::size_t reached = kNone;
    std::uint32_t point = 0;
    bool predicted = false;
    auto operator<=>(const Beyond&) const = default;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  const std::map<Beyond, Samples>& beyond() const { return beyond_; }

 private:
  void add_way(const Packet& packet, const Judged& judged);
  void add_differences(const Packet& packet, const Judged& judged);
  void add_extras(const Packet& packet, const Judged& judged);
  void note_beyond(const Packet& packet, const Judged& judged, std::size_t sighting, bool predicted);
  bool covered(const Packet& packet, std::size_t crossing) const;

  static constexpr std::size_t kMostKinds = 256;  // of alterations at a crossing, and of sightings elsewhere

  Expected expected_;
  const Points& points_;
  const std::vector<bool>& captured_;
  std::vector<CrossingTally> crossings_;
  std::map<std::pair<std::size_t, std::size_t>, Samples> times_;
  std::map<std::string, ExtraTally> extras_;
  std::map<std::size_t, std::uint64_t> reached_;
  std::map<Beyond, Samples> beyond_;
  std::map<std::uint32_t, Coverage> coverage_;
  std::optional<std::size_t>
      last_;  // of the packet that is being added: the last crossing on the way that saw it
};

}  // namespace dvrtrace::verify
