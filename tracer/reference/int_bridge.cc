#include <algorithm>

#include "tracer/reference/bridges.h"
#include "tracer/reference/dvr_subnets.h"
#include "tracer/reference/flow_writer.h"
#include "tracer/reference/int_ports.h"
#include "tracer/reference/ovs_firewall.h"

namespace dvrtrace::reference {

namespace {

class IntBridge {
 public:
  IntBridge(const Plan& plan, FlowSieve* sieve)
      : plan_(plan),
        is_(plan.practice),
        flows_(plan, plan.options.integration_bridge, sieve),
        next_(FlowWriter::go(is_.next)) {}

  Dump write() {
    write_classification();
    write_other_tables();
    if (plan_.options.dvr) write_dvr_tables();
    for (const PhysicalBridge& bridge : plan_.bridges) write_physical(bridge);
    if (plan_.options.dvr && plan_.tunnelling()) write_tunnel_macs();
    write_networks();
    if (plan_.options.dvr && plan_.dvr_mac) write_interfaces();
    if (plan_.options.dvr) write_dvr_ports(plan_, flows_);
    write_dead_ports();
    if (plan_.options.firewall == Firewall::OpenVSwitch) {
      write_ovs_firewall(plan_, flows_);
    } else {
      write_spoof_checks(plan_, flows_);
      write_direct_egress(plan_, flows_);
    }
    return flows_.take();
  }

 private:
  // --- what is always there ---

  void write_classification() {
    if (is_.table0_normal_is_1) {
      flows_.add("INT-02", 0, 1, "", "NORMAL");
    } else if (!is_.next) {
      flows_.add("INT-03", 0, 0, "", "NORMAL");
      if (plan_.options.dvr) flows_.add("INT-04", 0, 1, "", "NORMAL");
    } else {
      flows_.add("INT-05", 0, 0, "", next_);
      flows_.add("INT-06", 60, is_.normal_priority, "", "NORMAL");
    }
    if (is_.dead_vlan)
      flows_.add("INT-12", 0, 65535, is_.dead_vlan_tagged ? "dl_vlan=4095" : "vlan_tci=0x0fff/0x1fff",
                 "drop");
  }

  void write_other_tables() {
    flows_.add("INT-01", 23, 0, "", "drop");
    if (is_.spoof_default) {
      flows_.add("INT-11", 24, 0, "", "drop");
    } else if (is_.spoof_check && plan_.options.arp_spoofing_check.value_or(false)) {
      flows_.add("INT-11", 24, 1, is_.arp_replies_only ? "arp,arp_op=2" : "arp", "drop");
    }
    if (is_.table59) flows_.add("INT-07", 59, 0, "", "resubmit(,60)");
    if (is_.table58)
      flows_.add(is_.table58_to_59 ? "INT-09" : "INT-08", 58, 0, "",
                 is_.table58_to_59 ? "resubmit(,59)" : "resubmit(,60)");
    if (is_.table58_to_59) flows_.add("INT-10", 59, 0, "", "resubmit(,60)");
    if (is_.table62) flows_.add("INT-13", 62, 3, "", "NORMAL");
    if (!is_.local_ip_tables) return;
    flows_.add("INT-14", 30, 0, "", next_);
    flows_.add("INT-15", 31, 0, "", next_);
  }

  void write_dvr_tables() {
    flows_.add("INT-20", 1, 1, "", "drop");
    if (is_.dvr_vlan) flows_.add("INT-21", 2, 1, "", "drop");
  }

  // --- where frames come in ---

  void write_physical(const PhysicalBridge& bridge) {
    const unsigned port = bridge.int_port.value;
    flows_.add("INT-30", 0, 2, fmt::format("in_port={}", port), "drop");
    if (!plan_.options.dvr || !is_.dvr_vlan) return;
    write_dvr_macs(port, {"INT-31", 4, 2}, {"INT-32", 5, 4});
  }

  void write_tunnel_macs() { write_dvr_macs(plan_.patch_tun.value, {"INT-40", 2, 1}, {"INT-41", 5, 3}); }

  struct Branch {
    std::string_view rule;
    unsigned priority, table;
  };
  // Frames that bear another host's DVR MAC, and those for this host's, go to tables of their own.
  void write_dvr_macs(unsigned port, const Branch& from_others, const Branch& to_own) {
    for (const RemoteHost& other : plan_.others)
      flows_.add(from_others.rule, 0, from_others.priority,
                 fmt::format("in_port={},dl_src={}", port, to_string(other.mac)),
                 fmt::format("resubmit(,{})", from_others.table));
    if (is_.own_mac_tables && plan_.dvr_mac)
      flows_.add(to_own.rule, 0, to_own.priority,
                 fmt::format("in_port={},dl_dst={}", port, to_string(*plan_.dvr_mac)),
                 fmt::format("resubmit(,{})", to_own.table));
  }

  void write_networks() {
    for (const PlannedNetwork& network : plan_.networks) {
      if (!network.bridge) continue;
      const std::string match =
          fmt::format("in_port={},{}", plan_.bridges[*network.bridge].int_port.value,
                      network.type == Segmentation::Flat ? std::string(kUntagged)
                                                         : fmt::format("dl_vlan={}", network.segment));
      auto line =
          flows_.add("INT-33", 0, 3, match, fmt::format("mod_vlan_vid:{},{}", network.vlan.value, next_));
      for (const std::size_t port : network.ports) line.concerns(plan_.ports[port].port);
    }
  }

  // --- the router's own ports: frames that other hosts address to this host's DVR MAC ---

  void write_interfaces() {
    const DvrSubnets subnets(plan_);
    for (const PlannedNetwork& network : plan_.networks) {
      std::vector<std::size_t> interfaces;
      for (const std::size_t port : network.ports) {
        if (plan_.ports[port].role == Role::DistributedRouter) interfaces.push_back(port);
      }
      if (interfaces.empty()) continue;
      if (is_.own_mac_tables) write_own_mac(network, interfaces, subnets);
      if (is_.own_mac_arp) write_arp_replies(interfaces);
    }
  }

  void write_own_mac(const PlannedNetwork& network, const std::vector<std::size_t>& interfaces,
                     const DvrSubnets& subnets) {
    const bool tunnelled = network.tunnelled();
    if (!tunnelled && network.type == Segmentation::Flat && !is_.dvr_flat) return;
    const std::uint8_t table = tunnelled ? 3 : 4;
    std::vector<Mac> macs;
    for (const std::size_t port : interfaces) macs.push_back(plan_.logical_port(plan_.ports[port]).mac);
    const Mac mac =
        subnets.chosen(macs, table, network.vlan.value, *plan_.dvr_mac, openflow::FieldId::EthDst);
    const auto at = static_cast<std::size_t>(std::find(macs.begin(), macs.end(), mac) - macs.begin());
    const WiredPort& port = plan_.ports[interfaces[at]];
    flows_
        .add(tunnelled ? "INT-60" : "INT-61", table, 5,
             fmt::format("dl_vlan={},dl_dst={}", network.vlan.value, to_string(*plan_.dvr_mac)),
             fmt::format("mod_dl_dst:{},strip_vlan,output:{}", to_string(mac), port.ofport.value))
        .concerns(port.port);
  }

  void write_arp_replies(const std::vector<std::size_t>& interfaces) {
    for (const std::size_t index : interfaces) {
      const WiredPort& port = plan_.ports[index];
      const logical::Port& logical = plan_.logical_port(port);
      const bool v4 = std::any_of(logical.fixed_ips.begin(), logical.fixed_ips.end(),
                                  [](const auto& fixed) { return fixed.ip.v4(); });
      if (!v4) continue;
      const std::string mac = to_string(logical.mac);
      flows_
          .add("INT-62", 0, 99,
               fmt::format("arp,dl_dst={},arp_op=2,arp_tha={}", to_string(*plan_.dvr_mac), mac),
               fmt::format("mod_dl_dst:{},{}", mac, next_))
          .concerns(port.port)
          .optional(shares_subnet(index));
    }
  }

  // With two routers on one subnet the agent knows the MAC of the one that came first alone.
  bool shares_subnet(std::size_t index) const {
    const logical::Port& own = plan_.logical_port(plan_.ports[index]);
    for (const WiredPort& port : plan_.ports) {
      const logical::Port& other = plan_.logical_port(port);
      if (port.role != Role::DistributedRouter || other.id == own.id) continue;
      for (const logical::FixedIp& a : own.fixed_ips) {
        for (const logical::FixedIp& b : other.fixed_ips) {
          if (a.ip.v4() && a.subnet_id == b.subnet_id) return true;
        }
      }
    }
    return false;
  }

  void write_dead_ports() {
    for (const WiredPort& port : plan_.ports) {
      if (port.dead)
        flows_.add("INT-80", 0, 2, fmt::format("in_port={}", port.ofport.value), "drop").concerns(port.port);
    }
  }

  const Plan& plan_;
  const Practice& is_;
  FlowWriter flows_;
  std::string next_;
};

}  // namespace

Dump int_bridge(const Plan& plan, FlowSieve* sieve) { return IntBridge(plan, sieve).write(); }

std::vector<Dump> bridges(const Plan& plan, FlowSieve* sieve) {
  std::vector<Dump> dumps;
  dumps.push_back(int_bridge(plan, sieve));
  if (plan.tunnelling()) dumps.push_back(tun_bridge(plan, sieve));
  for (const PhysicalBridge& bridge : plan.bridges) dumps.push_back(phys_bridge(plan, bridge, sieve));
  return dumps;
}

}  // namespace dvrtrace::reference
