// program(): what Neutron's agents program on a host, computed from Neutron's objects.
//
// Mirrors the OVS agent, the L3 agent with DVR, the DHCP agent and both firewall drivers, release by release. What Neutron
// chooses freely (ofports, local VLANs, priorities of floating IP rules, link-local pairs, chain prefixes, cookies) is taken
// from what was found where it has it, and numbered in a fixed order where not.
//
//   const Cloud cloud(model);
//   const Plan plan = make_plan(cloud, &found, "cmp1", {});
//   for (const Dump& dump : program(plan).dumps) write(dump.path, text_of(dump));
#pragma once

#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// A `sieve` is shown every flow of the bridges, and those that it settles are left out.
Host program(const Plan& plan, FlowSieve* sieve = nullptr);

}  // namespace dvrtrace::reference
