#include "tracer/reference/int_ports.h"

#include <algorithm>
#include <set>

#include "tracer/reference/dvr_subnets.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

// --- DVR --------------------------------------------------------------------------------------------------

bool serviced(const Practice& is, Role role) {
  if (role == Role::Subport) return is.serviced_subports;
  if (role == Role::LoadBalancer) return is.serviced_load_balancers;
  return role == Role::Compute || role == Role::Dhcp || role == Role::Snat;
}

class DvrPorts {
 public:
  DvrPorts(const Plan& plan, FlowWriter& flows)
      : plan_(plan), is_(plan.practice), flows_(flows), subnets_(plan) {}

  void write() {
    for (const WiredPort& port : plan_.ports) {
      if (serviced(is_, port.role) && !port.dead) write_port(port);
    }
    if (is_.subnet_flow) write_subnets();
  }

 private:
  void write_port(const WiredPort& port) {
    const PlannedNetwork& network = plan_.networks[port.network];
    if (network.type == Segmentation::Local || (!network.tunnelled() && !is_.dvr_vlan)) return;
    if (network.type == Segmentation::Flat && !is_.dvr_flat) return;
    const std::vector<Mac> gateways = subnets_.gateway_macs(port);
    if (gateways.empty()) return;
    const Port& logical = plan_.logical_port(port);
    write_mac(port, network, logical.mac, gateways, false);
    if (!is_.pair_flows || !plugged_from_outside(port.role)) return;
    std::set<Mac> pair_macs;
    for (const AddressPair& pair : logical.allowed_pairs) {
      if (pair.mac && *pair.mac != logical.mac && pair.ip.host() && in_subnet(logical, pair.ip.ip()))
        pair_macs.insert(*pair.mac);
    }
    for (const Mac mac : pair_macs) write_mac(port, network, mac, gateways, true);
  }

  bool in_subnet(const Port& port, const Ip& ip) const {
    for (const FixedIp& fixed : port.fixed_ips) {
      const auto subnet = plan_.cloud->find_subnet(fixed.subnet_id);
      if (subnet && plan_.model().subnets[*subnet].cidr.contains(ip)) return true;
    }
    return false;
  }

  // Pairs get theirs only when the port itself is bound, not when a router comes later.
  void write_mac(const WiredPort& port, const PlannedNetwork& network, Mac mac,
                 const std::vector<Mac>& gateways, bool pair) {
    const bool tunnelled = network.tunnelled();
    const auto table = static_cast<std::uint8_t>(tunnelled ? 1 : 2);
    std::optional<std::uint16_t> vlan;
    if (tunnelled) vlan = network.vlan.value;
    if (network.type == Segmentation::Vlan) vlan = static_cast<std::uint16_t>(network.segment);
    const std::string match = fmt::format(
        "{},dl_dst={}", vlan ? fmt::format("dl_vlan={}", *vlan) : std::string(kUntagged), to_string(mac));
    const Mac source = subnets_.chosen(gateways, table, vlan, mac, openflow::FieldId::EthSrc);
    const std::string strip = vlan ? "strip_vlan," : "";
    const unsigned priority = is_.dvr_priority, ofport = port.ofport.value;
    if (is_.dvr_output_in_1) {
      flows_
          .add("INT-50", table, priority, match,
               fmt::format("{}mod_dl_src:{},output:{}", strip, to_string(source), ofport))
          .concerns(port.port);
      return;
    }
    const bool pike = priority == 4;
    flows_
        .add(pair   ? "INT-56"
             : pike ? "INT-51"
                    : "INT-53",
             table, priority, match,
             fmt::format("mod_dl_src:{},{}", to_string(source), FlowWriter::go(pike ? 60 : is_.next)))
        .concerns(port.port)
        .optional(pair);
    // The firewall's rewriting of a port takes this flow along.
    const bool filtered = plan_.options.firewall == Firewall::OpenVSwitch && port.filter == Filter::Filtered;
    flows_
        .add(pair   ? "INT-56"
             : pike ? "INT-52"
                    : "INT-54",
             60, priority, match, fmt::format("{}output:{}", strip, ofport))
        .concerns(port.port)
        .optional(pair || filtered);
  }

  // Juno: what is routed to a subnet goes to all its ports here, its SNAT port first.
  void write_subnets() {
    std::map<std::string_view, std::vector<const WiredPort*>> ports_of;
    for (const WiredPort& port : plan_.ports) {
      if (!serviced(is_, port.role) || port.dead || !plan_.networks[port.network].tunnelled()) continue;
      for (const FixedIp& fixed : plan_.logical_port(port).fixed_ips) {
        auto& list = ports_of[fixed.subnet_id];
        list.insert(port.role == Role::Snat ? list.begin() : list.end(), &port);
      }
    }
    for (const auto& [id, ports] : ports_of) {
      const Subnet& subnet = plan_.model().subnets[*plan_.cloud->find_subnet(id)];
      const std::vector<Mac> gateways = subnets_.gateway_macs(*ports.front());
      if (gateways.empty() || !subnet.cidr.ip().v4()) continue;
      std::string outputs;
      for (const WiredPort* port : ports) outputs += fmt::format(",output:{}", port->ofport.value);
      flows_.add(
          "INT-55", 1, 2,
          fmt::format("ip,dl_vlan={},nw_dst={}", plan_.vlan_of(*ports.front()).value, to_string(subnet.cidr)),
          fmt::format("strip_vlan,mod_dl_src:{}{}", to_string(gateways.front()), outputs));
    }
  }

  const Plan& plan_;
  const Practice& is_;
  FlowWriter& flows_;
  DvrSubnets subnets_;
};

// --- sources ----------------------------------------------------------------------------------------------

struct Sources4And6 {
  std::set<Prefix> v4, v6;
  std::set<Mac> macs;
  static bool any(const std::set<Prefix>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [](const Prefix& prefix) { return prefix.length() == 0; });
  }
};

Sources4And6 sources_of(const Port& port) {
  Sources4And6 sources;
  sources.macs.insert(port.mac);
  const auto add = [&](const Prefix& prefix) { (prefix.ip().v4() ? sources.v4 : sources.v6).insert(prefix); };
  for (const FixedIp& fixed : port.fixed_ips) add(host_prefix(fixed.ip));
  for (const AddressPair& pair : port.allowed_pairs) {
    add(pair.ip);
    if (pair.mac) sources.macs.insert(*pair.mac);
  }
  for (const Mac mac : sources.macs) sources.v6.insert(host_prefix(link_local_of(mac)));
  return sources;
}

std::string address_text(const Prefix& prefix) {
  return prefix.host() ? to_string(prefix.ip()) : to_string(prefix);
}

class SpoofChecks {
 public:
  SpoofChecks(const Plan& plan, FlowWriter& flows) : plan_(plan), is_(plan.practice), flows_(flows) {}

  void write() {
    const bool on =
        plan_.release >= kPike || plan_.options.arp_spoofing_check.value_or(plan_.release >= kLiberty);
    if (!on || !is_.spoof_check) return;
    for (const WiredPort& port : plan_.ports) {
      if (port.filter == Filter::Filtered && !port.dead) write_port(port);
    }
  }

 private:
  void write_port(const WiredPort& port) {
    const Sources4And6 sources = sources_of(plan_.logical_port(port));
    const unsigned in = port.ofport.value;
    const std::string checked = is_.mac_spoof_table ? "resubmit(,25)" : "NORMAL";
    const std::string arp = is_.arp_replies_only && plan_.release.minor == 0 ? "arp,arp_op=2" : "arp";
    if (!Sources4And6::any(sources.v4)) {
      for (const Prefix& prefix : sources.v4)
        flows_
            .add("INT-73", 24, 2, fmt::format("{},in_port={},arp_spa={}", arp, in, address_text(prefix)),
                 checked)
            .concerns(port.port);
      flows_.add("INT-70", 0, 10, fmt::format("{},in_port={}", arp, in), "resubmit(,24)").concerns(port.port);
    }
    if (plan_.release >= kLiberty && !Sources4And6::any(sources.v6)) {
      for (const Prefix& prefix : sources.v6)
        flows_
            .add("INT-74", 24, 2,
                 fmt::format("icmp6,in_port={},icmp_type=136,nd_target={}", in, address_text(prefix)),
                 FlowWriter::go(is_.next))
            .concerns(port.port);
      flows_.add("INT-71", 0, 10, fmt::format("icmp6,in_port={},icmp_type=136", in), "resubmit(,24)")
          .concerns(port.port);
    }
    if (!is_.mac_spoof_table) return;
    for (const Mac mac : sources.macs)
      flows_
          .add("INT-75", 25, 2, fmt::format("in_port={},dl_src={}", in, to_string(mac)),
               FlowWriter::go(is_.after_mac_check))
          .concerns(port.port);
    flows_.add("INT-72", 0, 9, fmt::format("in_port={}", in), "resubmit(,25)").concerns(port.port);
  }

  const Plan& plan_;
  const Practice& is_;
  FlowWriter& flows_;
};

}  // namespace

void write_dvr_ports(const Plan& plan, FlowWriter& flows) { DvrPorts(plan, flows).write(); }

void write_spoof_checks(const Plan& plan, FlowWriter& flows) { SpoofChecks(plan, flows).write(); }

void write_direct_egress(const Plan& plan, FlowWriter& flows) {
  if (!plan.options.direct_egress || !plan.practice.direct_egress) return;
  for (const PhysicalBridge& bridge : plan.bridges)
    flows.add("INT-90", 60, 4, fmt::format("in_port={}", bridge.int_port.value), "resubmit(,61)");
  if (plan.tunnelling())
    flows.add("INT-90", 60, 4, fmt::format("in_port={}", plan.patch_tun.value), "resubmit(,61)");
  flows.add("INT-91", 61, 0, "", "resubmit(,62)");
  for (const WiredPort& port : plan.ports) {
    if (port.dead) continue;
    const PlannedNetwork& network = plan.networks[port.network];
    const unsigned vlan = network.vlan.value, ofport = port.ofport.value;
    const std::string mac = to_string(plan.logical_port(port).mac);
    flows
        .add("INT-92", 60, 9, fmt::format("in_port={},dl_src={}", ofport, mac),
             fmt::format("load:{:#x}->NXM_NX_REG6[],resubmit(,61)", vlan))
        .concerns(port.port);
    flows
        .add("INT-93", 61, 12, fmt::format("dl_vlan={},dl_dst={}", vlan, mac),
             fmt::format("strip_vlan,output:{}", ofport))
        .concerns(port.port);
    flows.add("INT-94", 61, 12, fmt::format("reg6={},dl_dst={}", vlan, mac), fmt::format("output:{}", ofport))
        .concerns(port.port);
    if (!network.tunnelled() && !(network.type == Segmentation::Vlan && network.bridge)) continue;
    const Ofport patch = network.tunnelled() ? plan.patch_tun : plan.bridges[*network.bridge].int_port;
    flows
        .add("INT-95", 62, 10,
             fmt::format("in_port={},dl_src={},dl_dst=00:00:00:00:00:00/01:00:00:00:00:00", ofport, mac),
             fmt::format("mod_vlan_vid:{},output:{}", vlan, patch.value))
        .concerns(port.port);
  }
}

}  // namespace dvrtrace::reference
