// The network namespaces of one host, and the Linux bridges and iptables rules of the hybrid firewall in its root namespace.
#pragma once

#include <string_view>

#include "tracer/reference/expected.h"
#include "tracer/reference/l3_plan.h"
#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

// Everything below.
void add_linux(const Plan& plan, Host& host);

void add_router_namespace(const L3Plan& l3, const L3Router& router, Host& host);
void add_snat_namespace(const L3Plan& l3, const L3Router& router, Host& host);
void add_fip_namespaces(const L3Plan& l3, Host& host);
void add_dhcp_namespaces(const Plan& plan, Host& host);
// The Linux bridges of ports that have one, and the rules where the firewall is the hybrid one.
void add_hybrid_firewall(const Plan& plan, Host& host);

// iptables of the three kinds of namespaces of the L3 agent.
class NetnsWriter;
void add_router_iptables(const L3Plan& l3, const L3Router& router, NetnsWriter& netns);
void add_snat_iptables(const L3Plan& l3, const L3Router& router, NetnsWriter& netns);
void add_fip_iptables(const L3Plan& l3, NetnsWriter& netns);

// Settings that the agent makes in each of its namespaces.
void add_common_sysctls(const L3Practice& practice, NetnsWriter& netns);
// Not on a host where IPv6 is off.
void add_forwarding6(const Plan& plan, std::string_view value, NetnsWriter& netns);

}  // namespace dvrtrace::reference
