// The flows of the Open vSwitch agent, bridge by bridge.
//
// Flows that a learn() action puts (openflow::learned()) come and go with the traffic; none of these functions writes them, and
// none found is unexpected for being there.
#pragma once

#include <vector>

#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

Dump int_bridge(const Plan& plan);
Dump tun_bridge(const Plan& plan);
Dump phys_bridge(const Plan& plan, const PhysicalBridge& bridge);
// All of them: br-int, br-tun where there are tunnels, and each bridge of a physical network.
std::vector<Dump> bridges(const Plan& plan);

}  // namespace dvrtrace::reference
