#pragma once

#include <string_view>

#include "tracer/reference/flow_writer.h"

namespace dvrtrace::reference {

// The rule ids under which a bridge's flows for a distributed router's interface are known. The gateway's two have others where
// frames for the host's own DVR MAC have tables of their own.
struct InterfaceRules {
  std::string_view not_for_others, bears_host_mac;
  std::string_view arp, advertisement;
  std::string_view own_table_arp, own_table_advertisement;
};

// What leaves the host from the interface bears the host's DVR MAC; nothing is sent to the interface elsewhere; ARP for the
// router's addresses and the router's advertisements stay on the host. On a bridge to other hosts: br-tun, or a provider bridge.
void write_router_interface(const Plan& plan, const WiredPort& interface, unsigned vlan, const InterfaceRules& rules,
                            FlowWriter& flows);

}  // namespace dvrtrace::reference
