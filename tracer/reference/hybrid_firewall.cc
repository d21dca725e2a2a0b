// The hybrid firewall: a Linux bridge before every instance's port, and iptables rules in the root namespace
// (neutron/agent/linux/iptables_firewall.py and ipset_manager.py).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "tracer/reference/l3_found.h"
#include "tracer/reference/namespaces.h"
#include "tracer/reference/netns_writer.h"
#include "tracer/reference/options.h"
#include "tracer/reference/security_rules.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::uint16_t kFirstZone = 4097;
constexpr std::string_view kKnown =
    "-m state --state RELATED,ESTABLISHED -m comment --comment \"Direct packets associated with a known "
    "session to the RETURN "
    "chain.\" -j RETURN";
constexpr std::string_view kInvalid =
    "-m state --state INVALID -m comment --comment \"Drop packets that appear related to an existing "
    "connection (e.g. TCP ACK/FIN) "
    "but do not have an entry in conntrack.\" -j DROP";
constexpr std::string_view kToFallback =
    "-m comment --comment \"Send unmatched traffic to the fallback chain.\" -j {}";

struct FilteredPort {
  const WiredPort* wired = nullptr;
  const Port* logical = nullptr;
  std::string tap, qvb;
  std::string in, out, source;        // its chains: i..., o..., s...
  std::optional<std::uint16_t> zone;  // none: stateless, not tracked
};

class HybridFirewall {
 public:
  explicit HybridFirewall(const Plan& plan)
      : plan_(plan),
        practice_(l3_practice_of(plan.release, plan.release_guessed)),
        rules_(*plan.cloud, uses_sets(plan)),
        prefix_(L3Found(plan.found).chain_prefix("").value_or("neutron-openvswi")),
        netns_({}, {}) {}

  void add(Host& host) {
    find_ports();
    number_zones();
    for (const WiredPort& port : plan_.ports) {
      if (port.device.starts_with("qvo")) add_devices(port);
    }
    if (plan_.options.firewall == Firewall::Hybrid) {
      for (const Family family : {Family::V4, Family::V6}) add_tables(family);
      for (const std::string_view call : {"iptables", "ip6tables"}) {
        netns_.sysctl("HYB-BRIDGE-CALL", fmt::format("net.bridge.bridge-nf-call-{}", call), "1");
      }
    }
    netns_.finish(host);
    if (plan_.options.firewall == Firewall::Hybrid) add_sets(host);
  }

 private:
  static bool uses_sets(const Plan& plan) {
    if (plan.found == nullptr) return true;
    const auto value = plan.found->config.values.find("securitygroup.enable_ipset");
    return value == plan.found->config.values.end() || is_true(value->second.value);
  }

  // --- ports ---

  void find_ports() {
    for (const WiredPort& wired : plan_.ports) {
      const Port& port = plan_.logical_port(wired);
      const std::string id(short_id(port.id));
      if (wired.filter == Filter::Filtered) {
        const std::string name = id.substr(0, 10);
        filtered_.push_back(
            {&wired, &port, "tap" + id, "qvb" + id, "i" + name, "o" + name, "s" + name, std::nullopt});
      }
    }
    std::ranges::sort(filtered_, {}, &FilteredPort::tap);
  }

  bool stateless(const Port& port) const {
    const auto is_stateless = [&](const std::string& id) {
      const auto group = plan_.cloud->find_group(id);
      return group && !plan_.model().security_groups[*group].stateful;
    };
    return !port.security_groups.empty() && std::ranges::all_of(port.security_groups, is_stateless);
  }

  // The zone that most of a port's rules have.
  std::optional<std::uint16_t> found_zone(const FilteredPort& port) const {
    const NamespaceSnapshot* root = plan_.found == nullptr ? nullptr : plan_.found->find_namespace("");
    if (root == nullptr) return std::nullopt;
    std::map<std::uint16_t, unsigned> votes;
    for (const Part<kernel::Iptables>* tables : {&root->iptables4, &root->iptables6}) {
      const kernel::IptablesTable* raw = tables->value.find("raw");
      if (raw == nullptr) continue;
      for (const kernel::Chain& chain : raw->chains) {
        for (const Sourced<kernel::IptablesRule>& rule : chain.rules) {
          const auto* ct = std::get_if<kernel::Ct>(&rule.value.target);
          if (ct != nullptr && ct->zone && concerns(rule.value, port)) ++votes[*ct->zone];
        }
      }
    }
    const auto most = std::max_element(votes.begin(), votes.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == votes.end() ? std::nullopt : std::optional(most->first);
  }

  static bool concerns(const kernel::IptablesRule& rule, const FilteredPort& port) {
    return std::ranges::any_of(rule.matches, [&](const kernel::Match& match) {
      const auto* device = std::get_if<kernel::DeviceMatch>(&match);
      const auto* physical = std::get_if<kernel::PhysdevMatch>(&match);
      return (device != nullptr && device->device == port.qvb) ||
             (physical != nullptr && (physical->in == port.qvb || physical->in == port.tap));
    });
  }

  void number_zones() {
    std::set<std::uint16_t> used;
    for (FilteredPort& port : filtered_) {
      if (stateless(*port.logical)) continue;
      port.zone = practice_.zone_per_port == Does::No ? plan_.vlan_of(*port.wired).value : found_zone(port);
      if (port.zone && practice_.zone_per_port != Does::No && !used.insert(*port.zone).second)
        port.zone.reset();
    }
    std::uint16_t next = kFirstZone;
    for (FilteredPort& port : filtered_) {
      if (port.zone || stateless(*port.logical)) continue;
      while (used.contains(next)) ++next;
      used.insert(next);
      port.zone = next;
    }
  }

  // --- devices: tap and qvb in qbr, qvo in br-int ---

  void add_devices(const WiredPort& wired) {
    const Port& port = plan_.logical_port(wired);
    const std::string id(short_id(port.id));
    const std::uint32_t mtu = router_port(plan_, wired.port, "tap").mtu;
    netns_.device("HYB-BRIDGE", {"qbr" + id, {}, {}, mtu, {}}).concerns(wired.port);
    netns_.device("HYB-VETH", {"qvo" + id, "qvb" + id, {}, mtu, {}}).concerns(wired.port);
    netns_.device("HYB-BRIDGE-PORT", {"qvb" + id, "qvo" + id, {}, mtu, "qbr" + id}).concerns(wired.port);
    netns_.device("HYB-BRIDGE-PORT", {"tap" + id, {}, {}, mtu, "qbr" + id}).concerns(wired.port);
  }

  // --- rules ---

  void add_tables(Family family) {
    IptablesWriter tables(family, prefix_);
    tables.add_skeleton("raw");
    tables.add_skeleton("filter");
    for (const FilteredPort& port : filtered_) add_zone(port, tables);
    for (const FilteredPort& port : filtered_) add_way(port, tables);
    for (const WiredPort& wired : plan_.ports) add_unfiltered(wired, tables);
    for (const FilteredPort& port : filtered_) add_port(port, tables);
    tables.add("HYB-SG-CHAIN", "filter", "sg-chain", "-j ACCEPT");
    tables.add("HYB-FALLBACK", "filter", "sg-fallback",
               "-m comment --comment \"Default drop rule for unmatched traffic.\" -j DROP");
    if (practice_.hybrid_nat_accept != Does::No) add_nat(tables);
    netns_.iptables(tables);
  }

  void add_zone(const FilteredPort& port, IptablesWriter& tables) {
    const std::string target =
        fmt::format("-m comment --comment \"Set zone for {}\" -j CT {}", port.logical->id,
                    port.zone ? fmt::format("--zone {}", *port.zone) : "--notrack");
    for (const std::string& in :
         {"-m physdev --physdev-in " + port.qvb, "-i " + port.qvb, "-m physdev --physdev-in " + port.tap}) {
      tables.add("HYB-ZONE", "raw", "PREROUTING", "{} {}", in, target).concerns(port.wired->port);
    }
  }

  // From the bridge's ports to the port's chains.
  void add_way(const FilteredPort& port, IptablesWriter& tables) {
    const std::size_t concerned = port.wired->port;
    for (const std::string_view direction : {"out", "in"}) {
      tables
          .add("HYB-TO-SG-CHAIN", "filter", "FORWARD",
               "-m physdev --physdev-{} {} --physdev-is-bridged -m comment --comment \"Direct traffic from "
               "the VM interface to the "
               "security group chain.\" -j {}",
               direction, port.tap, tables.wrapped("sg-chain"))
          .concerns(concerned);
    }
    tables
        .add("HYB-INPUT", "filter", "INPUT",
             "-m physdev --physdev-in {} --physdev-is-bridged -m comment --comment \"Direct incoming traffic "
             "from VM to the security "
             "group chain.\" -j {}",
             port.tap, tables.wrapped(port.out))
        .concerns(concerned);
    for (const auto& [direction, chain] : {std::pair("out", port.in), std::pair("in", port.out)}) {
      tables
          .add("HYB-TO-PORT", "filter", "sg-chain",
               "-m physdev --physdev-{} {} --physdev-is-bridged -m comment --comment \"Jump to the VM "
               "specific chain.\" -j {}",
               direction, port.tap, tables.wrapped(chain))
          .concerns(concerned);
    }
  }

  // Trusted ports are named as if they were instances', so their rules never match.
  void add_unfiltered(const WiredPort& wired, IptablesWriter& tables) {
    const bool trusted = wired.filter == Filter::Trusted;
    if (wired.filter == Filter::Filtered || (trusted && practice_.trusted_hybrid != Does::Yes)) return;
    const std::string tap = fmt::format("tap{}", short_id(plan_.logical_port(wired).id));
    const std::string_view why = trusted ? "port is trusted." : "port security is disabled.";
    const auto add = [&](std::string_view chain, std::string_view direction) {
      tables
          .add(trusted ? "HYB-TRUSTED" : "HYB-UNFILTERED", "filter", chain,
               "-m physdev --physdev-{} {} --physdev-is-bridged -m comment --comment \"Accept all packets "
               "when {}\" -j ACCEPT",
               direction, tap, why)
          .concerns(wired.port);
    };
    add("FORWARD", "out");
    add("FORWARD", "in");
    if (!trusted) add("INPUT", "in");
  }

  void add_nat(IptablesWriter& tables) {
    tables.add_skeleton("nat", true);
    for (const FilteredPort& port : filtered_) {
      for (const std::string_view direction : {"in", "out"}) {
        tables
            .add("HYB-NAT", "nat", "PREROUTING", "-m physdev --physdev-{} {} --physdev-is-bridged -j ACCEPT",
                 direction, port.tap)
            .optional();
      }
    }
  }

  // --- the chains of one port ---

  void add_port(const FilteredPort& port, IptablesWriter& tables) {
    const bool v4 = tables.family() == Family::V4;
    const auto add = [&](std::string_view rule, const std::string& chain, std::string_view text) {
      tables.add(rule, "filter", chain, "{}", text).concerns(port.wired->port);
    };
    const std::string fallback = fmt::format(kToFallback, tables.wrapped("sg-fallback"));
    if (!v4) {
      for (const int type : {130, 135, 136})
        add("HYB-IN-ND", port.in, fmt::format("-p ipv6-icmp -m icmp6 --icmpv6-type {} -j RETURN", type));
    }
    add("HYB-KNOWN", port.in, kKnown);
    add_provider_rules(port, tables);
    add_user_rules(port, tables, true);
    add("HYB-INVALID", port.in, kInvalid);
    add("HYB-TO-FALLBACK", port.in, fallback);

    add_client_rules(port, tables);
    add("HYB-KNOWN", port.out, kKnown);
    add_user_rules(port, tables, false);
    add("HYB-INVALID", port.out, kInvalid);
    add("HYB-TO-FALLBACK", port.out, fallback);
  }

  // Answers of DHCP servers and routers, which no rule of a group need allow.
  void add_provider_rules(const FilteredPort& port, IptablesWriter& tables) {
    const bool v4 = tables.family() == Family::V4;
    const auto add = [&](std::string_view text) {
      tables.add("HYB-PROVIDER", "filter", port.in, "{}", text)
          .optional(practice_.provider_rules != Does::Yes)
          .concerns(port.wired->port);
    };
    bool any = false;
    std::vector<std::string> lines;
    for (const FixedIp& fixed : port.logical->fixed_ips) {
      if (fixed.ip.v4() != v4) continue;
      any = true;
      lines.push_back(
          v4 ? fmt::format("-d {}/32 -p udp -m udp --sport 67 --dport 68 -j RETURN", to_string(fixed.ip))
             : fmt::format("-d {}/128 -p udp -m udp --sport 547 --dport 546 -j RETURN", to_string(fixed.ip)));
    }
    if (!v4 && any) add("-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j RETURN");
    for (const std::string& line : lines) add(line);
    add(v4 ? "-d 255.255.255.255/32 -p udp -m udp --sport 67 --dport 68 -j RETURN"
           : "-d fe80::/64 -p udp -m udp --sport 547 --dport 546 -j RETURN");
  }

  void add_client_rules(const FilteredPort& port, IptablesWriter& tables) {
    const bool v4 = tables.family() == Family::V4;
    const auto add = [&](std::string_view rule, std::string_view match, std::string_view comment,
                         std::string_view target) {
      tables.add(rule, "filter", port.out, "{} -m comment --comment \"{}\" -j {}", match, comment, target)
          .concerns(port.wired->port);
    };
    constexpr std::string_view kDhcp = "Allow DHCP client traffic.",
                               kSpoofing = "Prevent DHCP Spoofing by VM.", kIcmp = "Allow IPv6 ICMP traffic.";
    if (v4) {
      add("HYB-DHCP", "-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67", kDhcp,
          "RETURN");
      add_sources(port, tables);
      add("HYB-DHCP", "-p udp -m udp --sport 68 --dport 67", kDhcp, "RETURN");
      add("HYB-DHCP-SPOOF", "-p udp -m udp --sport 67 --dport 68", kSpoofing, "DROP");
      return;
    }
    for (const int type : {131, 135, 143}) {
      add("HYB-OUT-ND", fmt::format("-s ::/128 -d ff02::/16 -p ipv6-icmp -m icmp6 --icmpv6-type {}", type),
          kIcmp, "RETURN");
    }
    add_sources(port, tables);
    add("HYB-RA-SPOOF", "-p ipv6-icmp -m icmp6 --icmpv6-type 134", "Drop IPv6 Router Advts from VM Instance.",
        "DROP");
    add("HYB-OUT-ND", "-p ipv6-icmp", kIcmp, "RETURN");
    add("HYB-DHCP", "-p udp -m udp --sport 546 --dport 547", kDhcp, "RETURN");
    add("HYB-DHCP-SPOOF", "-p udp -m udp --sport 547 --dport 546", kSpoofing, "DROP");
  }

  // What the port may send as: its allowed pairs, then its own addresses.
  void add_sources(const FilteredPort& port, IptablesWriter& tables) {
    const bool v4 = tables.family() == Family::V4;
    std::vector<std::pair<Prefix, Mac>> pairs;
    std::set<Mac> macs;
    const auto add_pair = [&](const Prefix& prefix, Mac mac) {
      if (prefix.ip().v4() != v4) return;
      if (std::ranges::find(pairs, std::pair(prefix, mac)) == pairs.end()) pairs.emplace_back(prefix, mac);
      macs.insert(mac);
    };
    for (const AddressPair& pair : port.logical->allowed_pairs)
      add_pair(pair.ip, pair.mac.value_or(port.logical->mac));
    for (const FixedIp& fixed : port.logical->fixed_ips) add_pair(host_prefix(fixed.ip), port.logical->mac);
    if (pairs.empty()) return;
    if (!v4) {
      for (const Mac mac : std::set<Mac>(macs)) add_pair(host_prefix(link_local_of(mac)), mac);
    }
    tables.jump("HYB-TO-SOURCES", "filter", port.out, port.source).concerns(port.wired->port);
    for (const auto& [prefix, mac] : pairs) {
      const std::string source = prefix.length() == 0 ? "" : fmt::format("-s {} ", to_string(prefix));
      tables
          .add("HYB-SOURCE", "filter", port.source,
               "{}-m mac --mac-source {} -m comment --comment \"Allow traffic from defined IP/MAC pairs.\" "
               "-j RETURN",
               source, to_string(mac))
          .concerns(port.wired->port);
    }
    tables
        .add("HYB-SOURCE", "filter", port.source,
             "-m comment --comment \"Drop traffic without an IP/MAC allow rule.\" -j DROP")
        .concerns(port.wired->port);
  }

  void add_user_rules(const FilteredPort& port, IptablesWriter& tables, bool ingress) {
    std::set<std::string> known;
    for (const std::string& id : port.logical->security_groups) {
      const auto group = plan_.cloud->find_group(id);
      if (!group) continue;
      for (const SecurityGroupRule& rule : plan_.model().security_groups[*group].rules) {
        for (const std::string& text : rules_.texts(rule, tables.family(), ingress)) {
          if (!known.insert(text).second) continue;
          tables.add("HYB-RULE", "filter", ingress ? port.in : port.out, "{}", text)
              .concerns(port.wired->port);
        }
      }
    }
  }

  // --- ipsets ---

  void add_sets(Host& host) {
    Writer dump("sos_commands/networking/ipset_save", {});
    std::set<std::pair<std::string, Family>> known;
    for (const FilteredPort& port : filtered_) {
      for (const std::string& id : port.logical->security_groups) {
        const auto group = plan_.cloud->find_group(id);
        if (!group) continue;
        for (const SecurityGroupRule& rule : plan_.model().security_groups[*group].rules) {
          const Family family = rule.ethertype == "IPv6" ? Family::V6 : Family::V4;
          const std::string set = rules_.set_of(rule, family);
          if (!set.empty() && known.emplace(set, family).second) add_set(set, rule, family, dump);
        }
      }
    }
    host.dumps.push_back(dump.take());
  }

  void add_set(const std::string& set, const SecurityGroupRule& rule, Family family, Writer& dump) {
    const std::vector<SetMember> members = rules_.members(rule, family);
    if (members.empty()) return;
    dump.add("HYB-SET", "create {} hash:net family {} hashsize 1024 maxelem 65536", set,
             family == Family::V4 ? "inet" : "inet6");
    for (const SetMember& member : members) {
      const std::string text =
          member.prefix.host() ? to_string(member.prefix.ip()) : to_string(member.prefix);
      Writer::Added added = dump.add("HYB-SET-MEMBER", "add {} {}", set, text);
      added.optional(!member.sure);
      if (member.port) added.concerns(*member.port);
    }
  }

  const Plan& plan_;
  const L3Practice practice_;
  const SecurityRules rules_;
  const std::string prefix_;
  std::vector<FilteredPort> filtered_;
  NetnsWriter netns_;
};

}  // namespace

void add_hybrid_firewall(const Plan& plan, Host& host) {
  // A host of the controllers may have the agent's configuration without the agent.
  const bool agent = plan.cloud->agent(plan.host, "openvswitch") != nullptr ||
                     (plan.model().agents.empty() && !plan.ports.empty());
  if (agent) HybridFirewall(plan).add(host);
}

}  // namespace dvrtrace::reference
