#include "tracer/reference/router_interface.h"

#include <set>

namespace dvrtrace::reference {

void write_router_interface(const Plan& plan, const WiredPort& interface, unsigned vlan,
                            const InterfaceRules& rules, FlowWriter& flows) {
  const logical::Port& port = plan.logical_port(interface);
  const std::string mac = to_string(port.mac);
  flows.add(rules.not_for_others, 1, 2, fmt::format("dl_vlan={},dl_dst={}", vlan, mac), "drop")
      .concerns(interface.port);
  flows
      .add(rules.bears_host_mac, 1, 1, fmt::format("dl_vlan={},dl_src={}", vlan, mac),
           fmt::format("mod_dl_src:{},resubmit(,2)", to_string(*plan.dvr_mac)))
      .concerns(interface.port);

  const bool own_tables = plan.practice.own_mac_tables;
  const unsigned table = own_tables ? 22 : 1;
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
    flows
        .add(own_tables ? rules.own_table_arp : rules.arp, table, 3,
             fmt::format("arp,dl_vlan={},arp_tpa={}", vlan, to_string(ip)), "drop")
        .concerns(interface.port);
  if (v6 && plan.practice.arp_block_ra)
    flows
        .add(own_tables ? rules.own_table_advertisement : rules.advertisement, table, 3,
             fmt::format("icmp6,dl_vlan={},dl_src={},icmp_type=134", vlan, mac), "drop")
        .concerns(interface.port);
}

}  // namespace dvrtrace::reference
