// Outside: where the hosts beyond the external network hang, and what they are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/model/network.h"

namespace dvrtrace {

// The cards on the wire of the external network, and its VLAN there.
struct ExternalWire {
  std::size_t host = kNowhere;
  std::string device;
  std::optional<std::uint16_t> vlan;
};
std::optional<ExternalWire> external_wire(const Network& network);

// The host beyond the external network stands where its gateway is.
std::optional<Ip> outside_address(const Network& network);

}  // namespace dvrtrace
