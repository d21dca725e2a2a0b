// The tables of Open vSwitch's database that the agents, Nova and the DHCP agent fill in, as `ovs-vsctl list` shows them.
#pragma once

#include <vector>

#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// Bridge, Port and Interface. They are what makes a planned host complete: the ports by number, name and Neutron's id.
std::vector<Dump> database(const Plan& plan);

}  // namespace dvrtrace::reference
