// Question: the packet that is asked for, and the addresses of both ends where the words leave them open.
#pragma once

#include <optional>

#include "tracer/engine/ask.h"
#include "tracer/engine/packet.h"

namespace dvrtrace {

// `from` and `to` get the addresses that were chosen. An address to send from becomes one of the sender's.
tl::expected<Packet, AskError> packet_of(const Network& network, QuestionPorts& ports, const PacketSpec& spec,
                                         Endpoint& from, Endpoint& to);

}  // namespace dvrtrace
