// Names that the Open vSwitch agent makes up.
#pragma once

#include <string>
#include <string_view>

#include "src/net/ip.h"
#include "tracer/reference/release.h"

namespace dvrtrace::reference {

// "int-br-ex"; where that has more than 15 characters, the beginning of the bridge's name and of its SHA-1.
std::string patch_name(std::string_view prefix, std::string_view bridge);
// "vxlan-1e000108". The names of tunnels to IPv6 addresses are hashes, by SHA-1 until 2024.1.
std::string tunnel_name(std::string_view type, const Ip& remote, Release release);

}  // namespace dvrtrace::reference
