// Wanted: which packets of a capture are looked at more closely. It must let pass every packet of the flow
// wherever it may be and whatever was done to it, also by mistake, and as little else as can be: one of the
// two addresses has to be one that the prediction has somewhere, and the protocol and the known port as well.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "src/trace/trace.h"
#include "tracer/verify/capture_reader.h"
#include "tracer/verify/look.h"

namespace dvrtrace::verify {

// What the question fixed, beyond what every question has.
struct Asked {
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint8_t> ttl;
};

// The packets of one direction.
struct Pattern {
  std::optional<std::uint16_t> arp_op;  // ARP; else of `protocol`
  std::uint8_t protocol = 0;
  std::vector<Ip> sources, destinations;
  std::vector<std::uint16_t> source_ports, destination_ports;  // empty: any
  std::vector<std::uint8_t> icmp_types;                        // empty: any

  bool empty() const { return sources.empty() && destinations.empty(); }
  bool matches(const Look& look) const;
  bool has_addresses_of(const Look& look) const;  // one of them
};

Pattern pattern_of(const Direction& direction, const Asked& asked);

class Wanted {
 public:
  enum class Kind : std::uint8_t { Nothing, Packet, Error, Question, Answer };
  struct Match {
    Kind kind = Kind::Nothing;
    std::uint8_t directions = 0;  // Packet: a bit for each direction that it may be of
  };

  Wanted(const Trace& trace, const Asked& asked, TunnelPorts ports = {});

  // Looks at a packet, layer for layer; `look` is left at the layer that matches.
  Match match(const Record& record, int link_type, Look& look) const;

 private:
  Match match_layer(const Look& look) const;
  std::vector<Pattern> patterns_;  // of the directions
  Pattern answer_;                 // to a request that is predicted not to have any
  std::vector<Ip> askers_;         // whose questions for MAC addresses are kept
  std::vector<Mac> asker_macs_;
  TunnelPorts ports_;
};

}  // namespace dvrtrace::verify
