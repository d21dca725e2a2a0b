// The flows of the Open vSwitch agent, bridge by bridge.
//
// Flows that a learn() action puts (openflow::learned()) come and go with the traffic; none of these functions writes them, and
// none found is unexpected for being there.
#pragma once

#include <vector>

#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// A `sieve` is shown every flow, and those that it settles are left out.
Dump int_bridge(const Plan& plan, FlowSieve* sieve = nullptr);
Dump tun_bridge(const Plan& plan, FlowSieve* sieve = nullptr);
Dump phys_bridge(const Plan& plan, const PhysicalBridge& bridge, FlowSieve* sieve = nullptr);
// All of them: br-int, br-tun where there are tunnels, and each bridge of a physical network.
std::vector<Dump> bridges(const Plan& plan, FlowSieve* sieve = nullptr);

}  // namespace dvrtrace::reference
