// What a router or a filter sends back for a packet that it does not let on.
#pragma once

#include <optional>
#include <string_view>

#include "tracer/engine/packet.h"

namespace dvrtrace {

enum class IcmpError { NoRoute, HostUnreachable, Prohibited, TtlExceeded, TooBig };

// The error about `packet`, without a source: the sender chooses it as it is routed. None about an error,
// a broadcast or a later fragment (RFC 1122, RFC 4443).
std::optional<Packet> error_about(const Packet& packet, IcmpError error);

// What the target REJECT answers `packet` with; "" is its default.
std::optional<Packet> rejection_of(const Packet& packet, std::string_view with);

}  // namespace dvrtrace
