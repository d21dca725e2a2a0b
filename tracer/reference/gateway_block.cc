#include "tracer/reference/gateway_block.h"

#include <set>

namespace dvrtrace::reference {

void write_gateway_block(const Plan& plan, const WiredPort& interface, unsigned vlan, unsigned table,
                         std::string_view arp, std::string_view advertisement, FlowWriter& flows) {
  const logical::Port& port = plan.logical_port(interface);
  std::set<Ip> blocked;
  bool v6 = false;
  for (const logical::FixedIp& fixed : port.fixed_ips) {
    const auto subnet = plan.cloud->find_subnet(fixed.subnet_id);
    v6 = v6 || fixed.ip.v6();
    if (fixed.ip.v6() || !subnet) continue;
    const auto& gateway = plan.model().subnets[*subnet].gateway;
    if (plan.practice.arp_block_by_interface) {
      blocked.insert(fixed.ip);
    } else if (gateway) {
      blocked.insert(*gateway);
    }
  }
  for (const Ip& ip : blocked)
    flows.add(arp, table, 3, fmt::format("arp,dl_vlan={},arp_tpa={}", vlan, to_string(ip)), "drop")
        .concerns(interface.port);
  if (v6 && plan.practice.arp_block_ra)
    flows
        .add(advertisement, table, 3,
             fmt::format("icmp6,dl_vlan={},dl_src={},icmp_type=134", vlan, to_string(port.mac)), "drop")
        .concerns(interface.port);
}

}  // namespace dvrtrace::reference
