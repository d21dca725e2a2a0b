// Names that the Open vSwitch agent makes up, and numbers that its flows tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// "int-br-ex"; where that has more than 15 characters, the beginning of the bridge's name and of its SHA-1.
std::string patch_name(std::string_view prefix, std::string_view bridge);
// "vxlan-1e000108". The names of tunnels to IPv6 addresses are hashes, by SHA-1 until 2024.1.
std::string tunnel_name(std::string_view type, const Ip& remote, Release release);
// The local VLAN that the found flows translate the network's segment to.
std::optional<std::uint16_t> translated_vlan(const Plan& plan, const PlannedNetwork& network);

}  // namespace dvrtrace::reference
