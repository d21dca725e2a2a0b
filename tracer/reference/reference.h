// reference(): what Neutron's agents program on a host, computed from Neutron's objects.
//
// Mirrors the OVS agent, the L3 agent with DVR, the DHCP agent and both firewall drivers, release by release. What Neutron
// chooses freely (ofports, local VLANs, priorities of floating IP rules, link-local pairs, chain prefixes, cookies) is taken
// from `found` where it has it, and numbered in a fixed order where not.
#pragma once

#include <string_view>

#include "src/logical/model.h"
#include "src/snapshot/host.h"
#include "tracer/reference/expected.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// `found`: what was read from that host, at Depth::Full; none for a host that is only planned.
Host program(const logical::Model& model, const HostSnapshot* found, std::string_view host, const Settings& settings);

}  // namespace dvrtrace::reference
