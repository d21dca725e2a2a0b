// Ports, tunnels and patch ports of Open vSwitch's database, against the plan of the host.
#pragma once

#include <vector>

#include "tracer/check/compare_bridges.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::check {

// A port of Neutron's that is not in the database, or is there with another local VLAN, or could not be opened; a tunnel whose
// ends are not those of the two hosts. Empty when the database was not read.
std::vector<BridgeDifference> compare_ports(const reference::Plan& plan);

}  // namespace dvrtrace::check
