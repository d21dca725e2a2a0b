#include "tracer/check/invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "src/base/text.h"
#include "src/kernel/print.h"
#include "src/openflow/action.h"
#include "tracer/check/catalogue.h"

namespace dvrtrace::check {
namespace {

using kernel::IptablesRule;
using kernel::Link;
using kernel::PolicyRule;

// Rules of floating IPs; from Pike on "from SUBNET lookup 16" at this priority is fast exit, and no fault.
constexpr kernel::RouteTable kFipTable = 16;
constexpr std::uint32_t kFastExitPriority = 80000;
// What VXLAN over IPv4 puts around a packet of the tenant: Ethernet, IP, UDP and its own header.
constexpr std::uint32_t kVxlanOverhead = 50, kGreOverhead = 42, kIpv6Extra = 20;

bool is_router(std::string_view netns) { return netns.starts_with("qrouter-"); }
bool is_dvr(std::string_view netns) {
  return is_router(netns) || netns.starts_with("fip-") || netns.starts_with("snat-");
}

const Sourced<Link>* find_link(const NamespaceSnapshot& netns, std::string_view name) {
  const auto found = std::ranges::find(netns.links.value, name,
                                       [](const auto& link) { return std::string_view(link.value.name); });
  return found == netns.links.value.end() ? nullptr : &*found;
}

bool has_device(const NamespaceSnapshot& netns, std::string_view prefix) {
  return std::ranges::any_of(netns.links.value,
                             [&](const auto& link) { return link.value.name.starts_with(prefix); });
}

class HostInvariants {
 public:
  HostInvariants(const HostSnapshot& host, const logical::Model& model) : host_(host), model_(model) {}

  std::vector<Finding> check() {
    underlay();
    for (const NamespaceSnapshot& netns : host_.namespaces) {
      if (!is_dvr(netns.name)) continue;
      reverse_path_filter(netns);
      if (!is_router(netns.name)) continue;
      stale_fip_rules(netns);
      duplicate_rules(netns.rules4, netns);
      duplicate_rules(netns.rules6, netns);
      default_in_main(netns);
    }
    for (const BridgeDumps& bridge : host_.bridges) {
      outputs(bridge);
      if (bridge.flows.complete() && bridge.flows.value.flows.empty() && bridge.flows.value.unread.empty())
        empty_bridge(bridge);
    }
    return std::move(findings_);
  }

 private:
  Finding& add(std::string_view code, std::string_view place_kind, std::string_view place,
               std::string_view object_kind, std::string object, Provenance at) {
    return findings_.emplace_back(
        finding_of(code, host_.name, place_kind, place, object_kind, std::move(object), at));
  }
  static std::string in_netns(const NamespaceSnapshot& netns, std::string command) {
    return netns.name.empty() ? command : fmt::format("ip netns exec {} {}", netns.name, command);
  }

  // --- the underlay ---

  // The largest packet that a tenant may send through a tunnel: what Neutron says, else what its routers' devices have.
  std::uint32_t tenant_mtu() const {
    std::unordered_set<std::string_view> here;  // as the agent notes beside its ports
    for (const OvsBridge& bridge : host_.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        const auto noted = port.other_config.find("net_uuid");
        if (noted != port.other_config.end()) here.insert(noted->second);
      }
    }
    std::uint32_t largest = 0;
    for (const logical::Network& network : model_.networks) {
      const bool tunnelled = network.type == "vxlan" || network.type == "gre" || network.type == "geneve";
      if (tunnelled && network.mtu && here.contains(network.id)) largest = std::max(largest, *network.mtu);
    }
    return largest;
  }

  void underlay() {
    const NamespaceSnapshot* root = host_.find_namespace("");
    if (root == nullptr || !host_.ovs.present()) return;
    std::set<std::string> ends;            // devices that tunnels leave by
    std::set<std::string_view> addresses;  // that they leave from: mostly one for all
    std::uint32_t overhead = 0;
    for (const OvsBridge& bridge : host_.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          const bool gre = interface.type == "gre";
          if (interface.type != "vxlan" && interface.type != "geneve" && !gre) continue;
          const auto local = interface.options.find("local_ip");
          if (local == interface.options.end()) continue;
          const bool first = addresses.insert(local->second).second;
          const auto ip = parse_ip(local->second);
          if (!ip) continue;
          overhead = std::max(overhead, (gre ? kGreOverhead : kVxlanOverhead) + (ip->v6() ? kIpv6Extra : 0));
          if (!first) continue;
          for (const auto& link : root->links.value) {
            if (std::ranges::any_of(link.value.addresses,
                                    [&](const auto& each) { return each.value.ip == *ip; }))
              add_way(*root, link.value.name, ends);
          }
        }
      }
    }
    const std::uint32_t largest = tenant_mtu();
    for (const std::string& name : ends) {
      const Sourced<Link>* link = find_link(*root, name);
      if (link == nullptr) continue;
      if (!link->value.up) down(*root, *link);
      // A packet of the tunnel leaves without the Ethernet header that the device's MTU does not count either.
      const std::uint32_t needed = largest + overhead;
      if (largest == 0 || link->value.mtu == 0 || link->value.mtu >= needed) continue;
      Finding& finding = add("DVR-MTU-BELOW-TUNNEL", "namespace", "", "link",
                             fmt::format("{} mtu {}", name, link->value.mtu), link->at);
      finding.name = name;
      finding.expected =
          fmt::format("mtu {} or more: {} of the network and {} of the tunnel", needed, largest, overhead);
      finding.found = fmt::format("mtu {}", link->value.mtu);
      finding.repair = fmt::format("ip link set {} mtu {}", name, needed);
    }
  }

  // The device with the tunnels' address, and the cards of the bridge whose internal port it is, or below its VLAN or bond.
  void add_way(const NamespaceSnapshot& root, const std::string& device, std::set<std::string>& ends) const {
    if (!ends.insert(device).second) return;
    for (const OvsBridge& bridge : host_.ovs.value.bridges) {
      const bool internal = std::ranges::any_of(bridge.ports, [&](const OvsPort& port) {
        return std::ranges::any_of(port.interfaces, [&](const OvsInterface& each) {
          return each.name == device && (each.type == "internal" || bridge.name == device);
        });
      });
      if (!internal && bridge.name != device) continue;
      for (const OvsPort& port : bridge.ports) {
        for (const OvsInterface& each : port.interfaces) {
          const Sourced<Link>* link = find_link(root, each.name);
          if ((each.type.empty() || each.type == "system") && link != nullptr && link->value.kind != "veth")
            ends.insert(each.name);
          // A lab's or container's card is one end of a veth whose other end is elsewhere.
          if (each.type.empty() && link != nullptr && link->value.kind == "veth" &&
              find_link(root, link->value.peer) == nullptr)
            ends.insert(each.name);
        }
      }
    }
    const Sourced<Link>* link = find_link(root, device);
    if (link != nullptr && !link->value.peer.empty() && link->value.kind == "vlan")
      add_way(root, link->value.peer, ends);
    for (const auto& each : root.links.value) {
      if (each.value.master == device) add_way(root, each.value.name, ends);
    }
  }

  void down(const NamespaceSnapshot& netns, const Sourced<Link>& link) {
    Finding& finding =
        add("DVR-DEVICE-DOWN", "namespace", netns.name, "link", link.value.name + " down", link.at);
    finding.name = link.value.name;
    finding.expected = "up";
    finding.found = "down";
    finding.repair = in_netns(netns, fmt::format("ip link set {} up", link.value.name));
  }

  // --- namespaces ---

  std::optional<Sourced<std::string>> sysctl(const NamespaceSnapshot& netns, const std::string& key) const {
    const auto found = netns.sysctls.value.find(key);
    return found == netns.sysctls.value.end() ? std::nullopt : std::optional(found->second);
  }

  // The kernel takes the stricter of a device's own and of "all".
  void reverse_path_filter(const NamespaceSnapshot& netns) {
    const auto all = sysctl(netns, "net.ipv4.conf.all.rp_filter");
    for (const auto& link : netns.links.value) {
      const std::string& name = link.value.name;
      const bool asymmetric = name.starts_with("rfp-") || name.starts_with("fpr-") ||
                              name.starts_with("fg-") || name.starts_with("sg-");
      if (!asymmetric) continue;
      const std::string key = fmt::format("net.ipv4.conf.{}.rp_filter", name);
      const auto own = sysctl(netns, key);
      const auto strict = [](const auto& value) { return value && value->value == "1"; };
      const auto loose = [](const auto& value) { return value && value->value == "2"; };
      if (loose(own) || loose(all) || (!strict(own) && !strict(all))) continue;
      const bool by_own = strict(own);
      Finding& finding =
          add("DVR-RP-FILTER-STRICT", "namespace", netns.name, "sysctl",
              by_own ? key + " = 1" : "net.ipv4.conf.all.rp_filter = 1", by_own ? own->at : all->at);
      finding.name = by_own ? key : "net.ipv4.conf.all.rp_filter";
      finding.expected = "0 or 2";
      finding.found = "1";
      finding.repair =
          in_netns(netns, fmt::format("sysctl -w {}=2", by_own ? key : "net.ipv4.conf.all.rp_filter"));
    }
  }

  // A translation of the address in either direction.
  static bool translates(const kernel::Iptables& iptables, const Ip& fixed) {
    const kernel::IptablesTable* nat = iptables.find("nat");
    if (nat == nullptr) return false;
    for (const kernel::Chain& chain : nat->chains) {
      for (const auto& rule : chain.rules) {
        const auto* to = std::get_if<kernel::NatTo>(&rule.value.target);
        if (to == nullptr) continue;
        if (to->destination && to->first == fixed) return true;
        for (const kernel::Match& match : rule.value.matches) {
          const auto* address = std::get_if<kernel::AddressMatch>(&match);
          if (address != nullptr && address->source && !address->inverted &&
              address->prefix == host_prefix(fixed))
            return true;
        }
      }
    }
    return false;
  }

  bool known_floating(const Ip& fixed) const {
    return std::ranges::any_of(model_.floating_ips,
                               [&](const logical::FloatingIp& fip) { return fip.fixed_ip == fixed; });
  }

  void stale_fip_rules(const NamespaceSnapshot& netns) {
    const bool nat_known = netns.iptables4.complete() && netns.iptables4.value.find("nat") != nullptr;
    for (const Sourced<PolicyRule>& rule : netns.rules4.value) {
      const PolicyRule& value = rule.value;
      if (value.action != PolicyRule::Action::Lookup || value.table != kFipTable ||
          value.priority == kFastExitPriority)
        continue;
      if (!value.from || !value.from->host() || translates(netns.iptables4.value, value.from->ip())) continue;
      if (!nat_known && known_floating(value.from->ip())) continue;
      Finding& finding =
          add("DVR-STALE-FIP-RULE", "namespace", netns.name, "ip-rule", to_string(value), rule.at);
      finding.found = fmt::format("{}: {}", value.priority, to_string(value));
      finding.expected = nat_known ? "a translation of the address to a floating IP, or no such rule"
                                   : "a floating IP of the address, which no dump shows; iptables-save of "
                                     "the namespace would settle it";
      finding.affects = {to_string(value.from->ip())};
      finding.repair =
          in_netns(netns, fmt::format("ip rule del {} priority {}", to_string(value), value.priority));
    }
  }

  void duplicate_rules(const Part<std::vector<Sourced<PolicyRule>>>& rules, const NamespaceSnapshot& netns) {
    std::set<std::string> seen;
    for (const Sourced<PolicyRule>& rule : rules.value) {
      std::string text = fmt::format("{}: {}", rule.value.priority, to_string(rule.value));
      if (seen.insert(text).second) continue;
      Finding& finding =
          add("DVR-DUPLICATE-RULE", "namespace", netns.name, "ip-rule", to_string(rule.value), rule.at);
      finding.repair = in_netns(
          netns, fmt::format("ip rule del {} priority {}", to_string(rule.value), rule.value.priority));
    }
  }

  // A router that is not distributed has its gateway in the namespace, and its default route with it.
  void default_in_main(const NamespaceSnapshot& netns) {
    if (!has_device(netns, "rfp-") || has_device(netns, "qg-")) return;
    for (const auto& route : netns.routes4.value) {
      if (route.value.table != kernel::kTableMain || route.value.destination.length() != 0) continue;
      Finding& finding =
          add("DVR-DEFAULT-IN-MAIN", "namespace", netns.name, "route", to_string(route.value), route.at);
      finding.repair = in_netns(netns, fmt::format("ip route del {}", to_string(route.value)));
    }
  }

  // --- bridges ---

  void empty_bridge(const BridgeDumps& bridge) {
    Finding& finding =
        add("DVR-BRIDGE-EMPTY", "bridge", bridge.bridge, "flow", "no flow at all", {bridge.flows.source, {}});
    finding.table = TableId{0};
    finding.expected = "table=0, priority=0 actions=NORMAL";
    finding.repair = fmt::format("ovs-ofctl add-flow {} 'table=0,priority=0 actions=NORMAL'", bridge.bridge);
  }

  void outputs(const BridgeDumps& bridge) {
    std::unordered_set<std::uint32_t> ports;
    for (const auto& port : bridge.features.value.ports) ports.insert(port.value.number.value);
    for (const OvsBridge& row : host_.ovs.value.bridges) {
      if (row.name != bridge.bridge) continue;
      for (const OvsPort& port : row.ports) {
        for (const OvsInterface& interface : port.interfaces) {
          if (interface.ofport && *interface.ofport > 0)
            ports.insert(static_cast<std::uint32_t>(*interface.ofport));
        }
      }
    }
    if (ports.empty()) return;
    for (const openflow::FlowRow& row : bridge.flows.value.flows) {
      if (openflow::learned(row.flow)) continue;
      for (const openflow::Action& action : row.flow.actions) {
        const auto* output = std::get_if<openflow::Output>(&action);
        if (output == nullptr || output->port >= kFirstReservedPort || ports.contains(output->port.value))
          continue;
        Finding& finding = add("DVR-OUTPUT-TO-NOWHERE", "bridge", bridge.bridge, "flow",
                               openflow::to_string(row.flow), row.at);
        finding.table = row.flow.table;
        finding.expected = "an output to a port of the bridge";
        finding.found = fmt::format("output:{}", output->port.value);
        break;
      }
    }
  }

  const HostSnapshot& host_;
  const logical::Model& model_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_invariants(const HostSnapshot& host, const logical::Model& model) {
  return HostInvariants(host, model).check();
}

}  // namespace dvrtrace::check
