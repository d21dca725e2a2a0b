#include "tracer/reference/ovs_firewall.h"

#include <algorithm>
#include <set>

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::string_view kZone = "zone=NXM_NX_REG6[0..15]";
constexpr std::string_view kMark = "ct(commit,zone=NXM_NX_REG6[0..15],exec(load:0x1->NXM_NX_CT_MARK[]))";

std::string address_text(const Prefix& prefix) {
  return prefix.host() ? to_string(prefix.ip()) : to_string(prefix);
}

struct AllowedPair {
  Mac mac;
  Prefix ip;
  auto operator<=>(const AllowedPair&) const = default;
};

class OvsFirewall {
 public:
  OvsFirewall(const Plan& plan, FlowWriter& flows)
      : plan_(plan),
        is_(plan.practice),
        flows_(flows),
        judged_(plan),
        direct_(plan.options.direct_egress && is_.direct_egress) {}

  void write() {
    write_initial();
    for (const WiredPort& port : plan_.ports) {
      if (port.dead) continue;
      if (port.filter == Filter::Filtered) {
        write_filtered(port);
      } else if (is_.trusted_ports) {
        write_unfiltered(port);
      }
      if (direct_) write_direct(port);
    }
    write_group_rules(plan_, judged_, flows_);
  }

 private:
  bool normal_generation() const { return is_.firewall == FirewallGeneration::Normal; }
  unsigned entry() const { return normal_generation() ? 0 : 60; }

  void write_initial() {
    for (const unsigned table : {71U, 72U, 73U, 81U, 82U}) flows_.add("FW-01", table, 0, "", "drop");
    if (is_.ct_clear) flows_.add("FW-02", 71, 110, "ct_state=+trk", "ct_clear,resubmit(,71)");
    if (is_.firewall == FirewallGeneration::AcceptedNormal) {
      flows_.add("FW-03", 91, 1, "", "resubmit(,94)");
      flows_.add("FW-05", 94, 1, "", "NORMAL");
    } else if (is_.firewall == FirewallGeneration::Accepted) {
      flows_.add("FW-03", 91, 1, "", "NORMAL");
    }
    if (is_.firewall >= FirewallGeneration::Accepted) {
      flows_.add("FW-04", 92, 0, "", "drop");
      flows_.add("FW-04", 93, 0, "", "drop");
    }
    if (direct_ && is_.egress_direct_default) flows_.add("FW-06", 60, 2, "", "resubmit(,94)");
  }

  std::string registers(const WiredPort& port) const {
    return fmt::format("load:{:#x}->NXM_NX_REG5[],load:{:#x}->NXM_NX_REG6[]", port.ofport.value,
                       plan_.vlan_of(port).value);
  }

  void write_unfiltered(const WiredPort& port) {
    flows_
        .add("FW-80", 60, 100, fmt::format("in_port={}", port.ofport.value),
             registers(port) + ",resubmit(,73)")
        .concerns(port.port);
    flows_.add("FW-81", 73, 80, fmt::format("reg5={:#x}", port.ofport.value), judged_.accepted)
        .concerns(port.port);
  }

  void write_direct(const WiredPort& port) {
    const PlannedNetwork& network = plan_.networks[port.network];
    const unsigned vlan = network.vlan.value, ofport = port.ofport.value;
    std::set<Mac> macs{plan_.logical_port(port).mac};
    for (const AddressPair& pair : plan_.logical_port(port).allowed_pairs) {
      if (pair.mac && port.filter == Filter::Filtered) macs.insert(*pair.mac);
    }
    std::optional<Ofport> patch;
    if (network.tunnelled()) patch = plan_.patch_tun;
    if (network.type == Segmentation::Vlan && network.bridge) patch = plan_.bridges[*network.bridge].int_port;
    for (const Mac each : macs) {
      const std::string mac = to_string(each);
      flows_
          .add("FW-90", 94, 12, fmt::format("reg6={:#x},dl_dst={}", vlan, mac),
               fmt::format("output:{}", ofport))
          .concerns(port.port);
      if (is_.egress_direct_tagged)
        flows_
            .add("FW-91", 94, 12, fmt::format("dl_vlan={},dl_dst={}", vlan, mac),
                 fmt::format("strip_vlan,output:{}", ofport))
            .concerns(port.port);
      if (patch)
        flows_
            .add("FW-92", 94, 10,
                 fmt::format("reg6={:#x},dl_src={},dl_dst=00:00:00:00:00:00/01:00:00:00:00:00", vlan, mac),
                 fmt::format("mod_vlan_vid:{},output:{}", vlan, patch->value))
            .concerns(port.port);
    }
  }

  // --- a filtered port ---

  void write_filtered(const WiredPort& port) {
    const Port& logical = plan_.logical_port(port);
    std::set<Mac> macs{logical.mac};
    std::set<AllowedPair> v4, v6;
    for (const FixedIp& fixed : logical.fixed_ips)
      (fixed.ip.v4() ? v4 : v6).insert({logical.mac, host_prefix(fixed.ip)});
    for (const AddressPair& pair : logical.allowed_pairs) {
      const Mac mac = pair.mac.value_or(logical.mac);
      macs.insert(mac);
      (pair.ip.ip().v4() ? v4 : v6).insert({mac, pair.ip});
    }
    v6.insert({logical.mac, host_prefix(link_local_of(logical.mac))});
    flows_
        .add("FW-10", entry(), 100, fmt::format("in_port={}", port.ofport.value),
             registers(port) + ",resubmit(,71)")
        .concerns(port.port);
    for (const Mac mac : macs) write_classification(port, mac);
    write_egress_checks(port, macs, v4, v6);
    write_egress_end(port);
    write_ingress(port);
    write_connections(port, 72);
    write_connections(port, 82);
  }

  void write_classification(const WiredPort& port, Mac mac_) {
    const PlannedNetwork& network = plan_.networks[port.network];
    const std::string mac = to_string(mac_), to_81 = registers(port) + ",strip_vlan,resubmit(,81)";
    const unsigned vlan = network.vlan.value;
    if (normal_generation()) {
      flows_.add("FW-11", 0, 90, "dl_dst=" + mac, registers(port) + ",resubmit(,81)").concerns(port.port);
    } else {
      flows_.add("FW-11", 60, 90, fmt::format("dl_vlan={},dl_dst={}", vlan, mac), to_81).concerns(port.port);
      if (network.type == Segmentation::Vlan && is_.segment_ingress && network.segment != vlan)
        flows_.add("FW-12", 60, 90, fmt::format("dl_vlan={},dl_dst={}", network.segment, mac), to_81)
            .concerns(port.port);
      if (network.type == Segmentation::Flat && is_.flat_ingress)
        flows_
            .add("FW-13", 60, 90, fmt::format("{},dl_dst={}", kUntagged, mac),
                 registers(port) + ",resubmit(,81)")
            .concerns(port.port);
    }
    flows_
        .add("FW-50", 73, 100, fmt::format("reg6={:#x},dl_dst={}", vlan, mac),
             fmt::format("load:{:#x}->NXM_NX_REG5[],resubmit(,81)", port.ofport.value))
        .concerns(port.port);
  }

  Writer::Added egress(std::string_view rule, const WiredPort& port, unsigned priority,
                       std::string_view protocol, const std::string& match, std::string_view actions) {
    std::string all = fmt::format("{}{}reg5={:#x},in_port={}", protocol, protocol.empty() ? "" : ",",
                                  port.ofport.value, port.ofport.value);
    if (!match.empty()) all += "," + match;
    return flows_.add(rule, 71, priority, all, actions).concerns(port.port);
  }

  std::vector<int> allowed_icmp6() const {
    if (plan_.release < kNewton) return {130, 131, 132, 135, 136};
    return plan_.release < kPike ? std::vector<int>{130, 134, 135, 136}
                                 : std::vector<int>{130, 133, 135, 136};
  }

  void write_egress_checks(const WiredPort& port, const std::set<Mac>& macs, const std::set<AllowedPair>& v4,
                           const std::set<AllowedPair>& v6) {
    const std::string track = fmt::format("ct(table=72,{})", kZone),
                      untracked = is_.ct_clear ? "" : "ct_state=-trk,";
    for (const AllowedPair& pair : v4) {
      const std::string mac = to_string(pair.mac), ip = address_text(pair.ip);
      egress("FW-20", port, 95, "arp", fmt::format("dl_src={},arp_spa={}", mac, ip), judged_.accepted);
      egress("FW-28", port, 65, "ip", fmt::format("{}dl_src={},nw_src={}", untracked, mac, ip), track);
      if (is_.source_checks)
        egress("FW-24", port, 80, "udp", fmt::format("dl_src={},nw_src={},tp_src=68,tp_dst=67", mac, ip),
               "resubmit(,73)");
    }
    for (const AllowedPair& pair : v6) {
      const std::string mac = to_string(pair.mac), ip = address_text(pair.ip);
      egress("FW-29", port, 65, "ipv6", fmt::format("{}dl_src={},ipv6_src={}", untracked, mac, ip), track);
      if (!is_.source_checks) continue;
      egress("FW-25", port, 80, "udp6", fmt::format("dl_src={},ipv6_src={},tp_src=546,tp_dst=547", mac, ip),
             "resubmit(,73)");
      for (const int type : {130, 133, 135})
        egress("FW-22", port, 95, "icmp6", fmt::format("dl_src={},ipv6_src={},icmp_type={}", mac, ip, type),
               judged_.accepted);
    }
    if (is_.source_checks) {
      std::set<std::string> targets;
      for (const AllowedPair& pair : v6) targets.insert(address_text(pair.ip));
      for (const std::string& target : targets)
        egress("FW-23", port, 95, "icmp6", fmt::format("icmp_type=136,nd_target={}", target),
               judged_.accepted);
      const Mac own = plan_.logical_port(port).mac;
      for (const Mac mac : macs)
        egress("FW-24", port, 80, "udp",
               fmt::format("dl_src={},nw_src=0.0.0.0,tp_src=68,tp_dst=67", to_string(mac)), "resubmit(,73)")
            .optional(mac != own);
    } else {
      for (const int type : allowed_icmp6())
        egress("FW-22", port, 95, "icmp6", fmt::format("icmp_type={}", type), judged_.accepted);
      egress("FW-24", port, 80, "udp", "tp_src=68,tp_dst=67", "resubmit(,73)");
      egress("FW-25", port, 80, "udp6", "tp_src=546,tp_dst=547", "resubmit(,73)");
    }
    if (!is_.rarp) return;
    for (const Mac mac : macs)
      egress("FW-21", port, 95, "dl_type=0x8035", fmt::format("dl_src={}", to_string(mac)), judged_.accepted);
  }

  void write_egress_end(const WiredPort& port) {
    egress("FW-26", port, 70, "udp", "tp_src=67,tp_dst=68", judged_.dropped);
    egress("FW-26", port, 70, "udp6", "tp_src=547,tp_dst=546", judged_.dropped);
    if (plan_.release >= kNewton) egress("FW-27", port, 70, "icmp6", "icmp_type=134", judged_.dropped);
    if (is_.ct_clear) {
      egress("FW-30", port, 10, "", "",
             judged_.dropped == "drop" ? "ct_clear" : "ct_clear," + judged_.dropped);
    } else {
      egress("FW-30", port, 10, "", "ct_state=-trk", judged_.dropped);
    }
    const std::string reg5 = fmt::format("reg5={:#x}", port.ofport.value);
    for (const std::string_view family : {"ip", "ipv6"})
      flows_.add("FW-51", 73, 90, fmt::format("ct_state=+new-est,{},{}", family, reg5), judged_.accepted_new)
          .concerns(port.port);
    flows_.add("FW-52", 73, 80, reg5, judged_.accepted).concerns(port.port);
  }

  std::vector<int> delivered_icmp6() const {
    if (plan_.release < kNewton) return {130, 131, 132, 135, 136};
    return is_.ingress_ra ? std::vector<int>{130, 134, 135, 136} : std::vector<int>{130, 135, 136};
  }

  void write_ingress(const WiredPort& port) {
    const std::string reg5 = fmt::format("reg5={:#x}", port.ofport.value), out = judged_.deliver(port.ofport);
    const auto add = [&](std::string_view rule, unsigned priority, const std::string& match,
                         const std::string& actions) {
      flows_.add(rule, 81, priority, match, actions).concerns(port.port);
    };
    add("FW-60", 100, "arp," + reg5, out);
    for (const int type : delivered_icmp6())
      add("FW-61", 100, fmt::format("icmp6,{},icmp_type={}", reg5, type), out);
    add("FW-62", 95, fmt::format("udp,{},tp_src=67,tp_dst=68", reg5), out);
    add("FW-62", 95, fmt::format("udp6,{},tp_src=547,tp_dst=546", reg5), out);
    for (const std::string_view family : {"ip", "ipv6"})
      add("FW-63", 90, fmt::format("ct_state=-trk,{},{}", family, reg5),
          fmt::format("ct(table=82,{})", kZone));
    add("FW-64", 80, "ct_state=+trk," + reg5, "resubmit(,82)");
  }

  // Tables 72 and 82 below the rules: connections known already, and those that lost their permission.
  void write_connections(const WiredPort& port, unsigned table) {
    const bool in = table == 82;
    const std::string reg5 = fmt::format("reg5={:#x}", port.ofport.value);
    const unsigned vlan = plan_.vlan_of(port).value;
    const std::string known = in ? known_ingress(port) : judged_.accepted;
    flows_.add(in ? "FW-71" : "FW-42", table, 50, "ct_mark=0x1," + reg5, judged_.dropped).concerns(port.port);
    for (const std::string_view state : {"+est-rel+rpl", "-new-est+rel-inv"}) {
      const std::string_view rule = in                ? (state[0] == '+' ? "FW-72" : "FW-73")
                                    : state[0] == '+' ? "FW-43"
                                                      : "FW-44";
      flows_
          .add(rule, table, 50, fmt::format("ct_state={},ct_zone={},ct_mark=0,{}", state, vlan, reg5), known)
          .concerns(port.port);
    }
    flows_.add(in ? "FW-74" : "FW-45", table, 40, "ct_state=-est," + reg5, judged_.dropped)
        .concerns(port.port);
    for (const std::string_view family : {"ip", "ipv6"})
      flows_.add(in ? "FW-75" : "FW-46", table, 40, fmt::format("ct_state=+est,{},{}", family, reg5), kMark)
          .concerns(port.port);
    // One for all ports: the match has no port, so each port writes the same.
    if (!invalid_written_[in])
      flows_.add(in ? "FW-71" : "FW-41", table, 50, "ct_state=+inv+trk", judged_.dropped);
    invalid_written_[in] = true;
  }

  // With hardware offload the reply goes through NORMAL, whose output can be offloaded.
  std::string known_ingress(const WiredPort& port) const {
    const bool offload = plan_.found != nullptr && plan_.found->ovs.present() &&
                         hw_offload(plan_.found->ovs.value.other_config);
    if (offload && is_.direct_egress && !direct_)
      return fmt::format("mod_vlan_vid:{},NORMAL", plan_.vlan_of(port).value);
    return judged_.deliver(port.ofport);
  }
  static bool hw_offload(const StringMap& config) {
    const auto value = config.find("hw-offload");
    return value != config.end() && value->second == "true";
  }

  const Plan& plan_;
  const Practice& is_;
  FlowWriter& flows_;
  Judged judged_;
  bool direct_;
  bool invalid_written_[2] = {false, false};
};

}  // namespace

Judged::Judged(const Plan& plan) {
  const FirewallGeneration generation = plan.practice.firewall;
  const bool accepted_table = generation >= FirewallGeneration::Accepted;
  accepted = generation == FirewallGeneration::AcceptedNormal ? "resubmit(,94)"
             : accepted_table                                 ? "resubmit(,91)"
                                                              : "NORMAL";
  accepted_new = commit + (accepted_table ? ",resubmit(,91)" : ",NORMAL");
  dropped = accepted_table ? "resubmit(,93)" : "drop";
  logs_ingress = accepted_table;
  strips_late = generation == FirewallGeneration::Normal;
}

void write_ovs_firewall(const Plan& plan, FlowWriter& flows) { OvsFirewall(plan, flows).write(); }

}  // namespace dvrtrace::reference
