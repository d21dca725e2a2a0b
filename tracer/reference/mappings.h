#pragma once

#include <map>
#include <string>

#include "src/snapshot/host.h"

namespace dvrtrace::reference {

// bridge_mappings of a host whose configuration is not at hand: the bridges with a patch port to br-int, each under the physical
// network whose local VLANs its flows translate. A bridge of which nothing tells the network goes under its own name.
std::map<std::string, std::string> found_mappings(const HostSnapshot& host, const OvsBridge& integration);

}  // namespace dvrtrace::reference
