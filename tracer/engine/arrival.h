// Arrival: an end at which a packet was taken in, and what that is called.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "src/model/network.h"
#include "src/trace/trace.h"
#include "tracer/engine/packet.h"
#include "tracer/engine/ports.h"

namespace dvrtrace {

struct Arrival {
  enum class Kind { Vm, Namespace, Outside };
  Kind kind = Kind::Vm;
  std::size_t hop = 0;
  std::size_t host = kNowhere, netns = kNowhere, device = kNowhere;
  std::size_t port = kNowhere;  // Vm: of Ports
  Packet packet;
};

// `asked`: the packet that the question is about.
Reason reason_of(const Network& network, const Direction& direction, const Arrival& arrival, const Packet& asked);
std::string describe(const Network& network, const Ports& ports, const Arrival& arrival, Reason reason);

// Why nobody out there can answer or take a packet in the form in which it left the cloud; none: somebody can.
std::optional<std::string> unanswerable(const Network& network, const Direction& direction, const Arrival& arrival);

// The card by which the packet went onto the wire that leads to this hop outside.
std::string left_by(const Direction& direction, std::size_t outside);

}  // namespace dvrtrace
