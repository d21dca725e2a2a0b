// One packet held against one direction of a prediction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/trace/trace.h"
#include "tracer/verify/follow.h"
#include "tracer/verify/wanted.h"

namespace dvrtrace::verify {

// The fields that are compared, as bits.
enum Field : std::uint16_t {
  kEthSrc = 1 << 0,
  kEthDst = 1 << 1,
  kVlan = 1 << 2,
  kIpSrc = 1 << 3,
  kIpDst = 1 << 4,
  kTtl = 1 << 5,
  kSrcPort = 1 << 6,
  kDstPort = 1 << 7,
  kEncapType = 1 << 8,
  kEncapVni = 1 << 9,
  kEncapSrc = 1 << 10,
  kEncapDst = 1 << 11,
};
inline constexpr unsigned kFields = 12;

struct FieldText {
  std::string name, expected, found;
};
// `ttl_shift`: what the packet's TTL is above the predicted one all along the way.
FieldText text_of(Field field, const Headers& expected, const Headers& found, int ttl_shift);

// A direction of a prediction, and the points of its crossings.
struct Expected {
  const Direction* direction = nullptr;
  std::vector<std::uint32_t> points;                   // of each crossing
  std::vector<std::vector<std::size_t>> crossings_at;  // of each point that is some crossing's
  bool request = true, compare_source_port = false;
  std::optional<std::uint8_t> ttl;  // that was asked for
  std::uint8_t ttl_spent = 0;       // on the way

  static Expected of(const Direction& direction, std::vector<std::uint32_t> points, const Asked& asked);
  const std::vector<std::size_t>& at(std::uint32_t point) const;
};

struct Judged {
  enum class Kind { Other, OtherNetwork, OtherTtl, Ours };
  Kind kind = Kind::Other;
  int ttl_shift = 0;
  struct At {
    std::optional<std::size_t> sighting;  // of the packet
    std::uint16_t differences = 0;
  };
  std::vector<At> at;                   // of each crossing
  std::vector<std::size_t> extra;       // sightings that no crossing accounts for
  std::vector<std::size_t> duplicates;  // ... but as another one at the same point
  std::vector<std::size_t> foreign;     // of another network
  std::size_t first_ours = 0;           // OtherNetwork: the sighting that shows it
};

// Whether headers are those of the flow at a crossing, as far as addresses, protocol and ports go.
bool same_flow(const Expected& expected, const Crossing& crossing, const Headers& found);

// `judged` is filled anew; it is handed in so that its memory serves many packets.
void judge(const Expected& expected, const Packet& packet, Judged& judged);

}  // namespace dvrtrace::verify
