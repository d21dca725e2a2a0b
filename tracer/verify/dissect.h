// A packet that passed the first look, taken apart by libtins, and what tells it from all others: its
// identity survives what the path does to a packet. No libtins type leaves dissect.cc.
#pragma once

#include <array>
#include <cstdint>

#include "src/trace/headers.h"
#include "tracer/verify/look.h"

namespace dvrtrace::verify {

// What routing, address translation, encapsulation, fragmenting and wrong checksums leave as it is. Two
// sightings with equal keys and with heads of which one begins as the other are taken for one packet; whether
// two times close to each other speak for that as well is the follower's matter (follow.h).
struct Identity {
  std::uint64_t key = 0;
  std::array<std::uint8_t, 16> head{};      // of the payload
  std::uint8_t head_size = 0;               // as much as was captured
  bool segment = false;                     // of TCP, with payload: cards merge and split them
  std::uint32_t sequence = 0, payload = 0;  // of a segment

  bool may_be(const Identity& other) const;
};

struct Dissected {
  Headers headers;  // `eth_src` and `eth_dst` are zero where the link type has none
  Identity identity;
  bool ethernet = false;
  bool malformed = false;  // libtins refuses it; the headers are those of the first look
};

Dissected dissect(const Look& look);

// The identity alone; a fragment behind the first has none worth the name.
Identity identify(const Look& look);

// The headers alone, as the first look has them.
Headers headers_of(const Look& look);

}  // namespace dvrtrace::verify
