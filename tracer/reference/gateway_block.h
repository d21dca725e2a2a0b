#pragma once

#include <string_view>

#include "tracer/reference/flow_writer.h"

namespace dvrtrace::reference {

// What keeps ARP for a router's address, and the router's advertisements, on the host. `arp` and `advertisement`: rule ids.
void write_gateway_block(const Plan& plan, const WiredPort& interface, unsigned vlan, unsigned table, std::string_view arp,
                         std::string_view advertisement, FlowWriter& flows);

}  // namespace dvrtrace::reference
