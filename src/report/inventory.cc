#include "src/report/inventory.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

// --- hosts -------------------------------------------------------------------------------------------

std::string value_of(const AgentConfig& config, std::string_view key) {
  const auto found = config.values.find(key);
  return found == config.values.end() ? std::string{} : found->second.value;
}

// The interfaces of VMs: those that nova or os-vif named the Neutron port of, with a device of a VM. The
// agents' own (qr-, fg-, and DHCP's tap) are internal ports.
template <class Visit>
void each_vm_interface(const HostSnapshot& host, Visit visit) {
  for (const OvsBridge& bridge : host.ovs.value.bridges) {
    for (const OvsPort& port : bridge.ports) {
      for (const OvsInterface& interface : port.interfaces) {
        const auto id = interface.external_ids.find("iface-id");
        const bool served = id != interface.external_ids.end() && interface.type != "internal";
        if (served) visit(port, interface, id->second);
      }
    }
  }
}

bool has_namespace(const HostSnapshot& host, std::string_view prefix) {
  return std::ranges::any_of(host.namespaces, [&](const auto& n) { return n.name.starts_with(prefix); });
}

std::vector<std::string> roles_of(const HostSnapshot& host, const std::string& agent_mode, std::size_t vms) {
  std::vector<std::string> roles;
  const bool network_node = agent_mode == "dvr_snat" || agent_mode == "legacy" ||
                            has_namespace(host, "snat-") || has_namespace(host, "qdhcp-");
  if (vms != 0 || !host.domains.empty() || agent_mode == "dvr" || agent_mode == "dvr_no_external")
    roles.emplace_back("compute");
  if (network_node) roles.emplace_back("network node");
  const bool has_switch = host.ovs.present() || !host.bridges.empty();
  if (roles.empty()) roles.emplace_back(has_switch ? "host" : "controller");
  return roles;
}

HostItem host_item(const HostSnapshot& host, const Sources& sources) {
  HostItem item;
  item.name = host.name;
  item.agent_mode = value_of(host.config, "DEFAULT.agent_mode");
  item.firewall_driver = value_of(host.config, "securitygroup.firewall_driver");
  item.ovs_version = host.ovs.value.ovs_version;
  item.collected_at = host.collected_at;
  item.taken = host.taken();
  item.inputs = host.inputs;
  if (host.cleaned)
    item.cleaned = host.cleaned_sign.empty() ? "it went through sos clean" : host.cleaned_sign;
  for (const OvsBridge& bridge : host.ovs.value.bridges) item.bridges.push_back(bridge.name);
  for (const BridgeDumps& bridge : host.bridges) {
    if (std::ranges::find(item.bridges, bridge.bridge) == item.bridges.end())
      item.bridges.push_back(bridge.bridge);
  }
  for (const NamespaceSnapshot& netns : host.namespaces) {
    if (!netns.name.empty()) item.namespaces.push_back(netns.name);
  }
  each_vm_interface(host, [&](const auto&, const auto&, const auto&) { ++item.vms; });
  item.roles = roles_of(host, item.agent_mode, item.vms);
  for (const FileReading& file : host.files) {
    item.lines += file.lines;
    ++item.files;
    item.failed_files += file.failed ? 1 : 0;
    const std::uint64_t unknown = file.lines.of(LineState::Unrecognised);
    if (unknown == 0) continue;
    const bool named = file.source != kNoSource;
    item.unrecognised.push_back(
        {named ? std::string(sources.name(file.source)) : host.name + "/" + file.path, unknown});
  }
  return item;
}

// --- what is missing ---------------------------------------------------------------------------------

class Gaps {
 public:
  explicit Gaps(std::vector<MissingDump>& missing) : missing_(missing) {}

  void look_at(const HostSnapshot& host) {
    host_ = host.name;
    netns_.clear();
    part(host.ovs);
    part(host.dpif_ports);
    part(host.datapath_connections);
    part(host.namespace_names);
    for (const BridgeDumps& bridge : host.bridges) {
      part(bridge.flows);
      part(bridge.groups);
      part(bridge.features);
      part(bridge.fdb);
    }
    for (const NamespaceSnapshot& n : host.namespaces) {
      netns_ = n.name;
      part(n.links);
      part(n.rules4);
      part(n.rules6);
      part(n.routes4);
      part(n.routes6);
      part(n.neighbours);
      part(n.iptables4);
      part(n.iptables6);
      part(n.ipsets);
      part(n.sysctls);
      part(n.connections);
      part(n.bridge_fdb);
      part(n.bridge_ports);
    }
  }

 private:
  template <class T>
  void part(const Part<T>& part) {
    if (part.complete() || part.wanted.empty()) return;
    std::string_view command = part.wanted;
    if (consume(command, "ip netns exec ")) take_word(command);
    missing_.push_back({host_,
                        netns_,
                        std::string(trim(command)),
                        part.failure,
                        part.presence == Presence::Truncated,
                        {},
                        {}});
  }

  std::vector<MissingDump>& missing_;
  std::string host_, netns_;
};

// --- the cloud ---------------------------------------------------------------------------------------

template <class Items>
auto* find_id(Items& items, std::string_view id) {
  const auto found = std::ranges::find_if(items, [&](const auto& item) { return item.id == id; });
  return found == items.end() ? nullptr : &*found;
}

std::string name_or_id(const std::string& name, const std::string& id) { return name.empty() ? id : name; }

std::vector<NetworkItem> networks_of(const Snapshot& snapshot) {
  std::vector<NetworkItem> items;
  for (const logical::Network& n : snapshot.logical.networks) {
    items.push_back({n.id, n.name, n.type, n.physical_network, n.segmentation_id, n.external, {}, {}});
  }
  for (const logical::Subnet& subnet : snapshot.logical.subnets) {
    if (NetworkItem* item = find_id(items, subnet.network_id))
      item->subnets.push_back(to_string(subnet.cidr));
  }
  // The agent writes into each port's row which network it is of.
  for (const HostSnapshot& host : snapshot.hosts) {
    for (const OvsBridge& bridge : host.ovs.value.bridges) {
      for (const OvsPort& port : bridge.ports) {
        const auto said = [&](const char* key) {
          const auto found = port.other_config.find(key);
          return found == port.other_config.end() ? std::string{} : found->second;
        };
        const std::string id = said("net_uuid");
        if (id.empty()) continue;
        NetworkItem* item = find_id(items, id);
        if (item == nullptr) {
          items.push_back({id,
                           "",
                           said("network_type"),
                           said("physical_network"),
                           number<std::uint32_t>(said("segmentation_id")),
                           false,
                           {},
                           {}});
          item = &items.back();
        }
        if (port.tag && *port.tag != kDeadVlan.value) item->local_vlans[host.name] = *port.tag;
      }
    }
  }
  std::ranges::sort(
      items, {}, [](const NetworkItem& item) { return std::pair(name_or_id(item.name, item.id), item.id); });
  return items;
}

std::vector<RouterItem> routers_of(const Snapshot& snapshot) {
  std::vector<RouterItem> items;
  for (const logical::Router& r : snapshot.logical.routers) {
    const std::string kind =
        std::string(r.distributed ? "distributed" : "centralised") + (r.ha ? ", HA" : "");
    items.push_back({r.id, r.name, kind, {}, {}});
  }
  for (const HostSnapshot& host : snapshot.hosts) {
    for (const NamespaceSnapshot& netns : host.namespaces) {
      std::string_view id = netns.name;
      const bool snat = id.starts_with("snat-");
      if (!consume(id, "qrouter-") && !consume(id, "snat-")) continue;
      RouterItem* item = find_id(items, id);
      if (item == nullptr) {
        items.push_back({std::string(id), "", "", {}, {}});
        item = &items.back();
      }
      (snat ? item->snat_hosts : item->hosts).push_back(host.name);
    }
  }
  std::ranges::sort(
      items, {}, [](const RouterItem& item) { return std::pair(name_or_id(item.name, item.id), item.id); });
  return items;
}

std::string domain_name_of(const Snapshot& snapshot, std::string_view port) {
  for (const HostSnapshot& host : snapshot.hosts) {
    for (const Domain& domain : host.domains) {
      for (const DomainInterface& interface : domain.interfaces) {
        if (interface.port_id == port) return name_or_id(domain.instance_name, domain.name);
      }
    }
  }
  return {};
}

std::vector<VmItem> vms_of(const Snapshot& snapshot, const std::vector<NetworkItem>& networks) {
  std::vector<VmItem> items;
  const auto network_name = [&](const std::string& id) {
    const NetworkItem* network = find_id(networks, id);
    return network == nullptr ? id : name_or_id(network->name, network->id);
  };
  for (const logical::Port& port : snapshot.logical.ports) {
    if (!port.device_owner.starts_with("compute:")) continue;
    const std::string name = name_or_id(port.name, domain_name_of(snapshot, port.id));
    VmItem item{name_or_id(name, port.device_id), port.id, "",      port.host,
                network_name(port.network_id),    {},      port.mac};
    for (const logical::FixedIp& fixed : port.fixed_ips) item.ips.push_back(to_string(fixed.ip));
    items.push_back(std::move(item));
  }
  for (const HostSnapshot& host : snapshot.hosts) {
    each_vm_interface(host, [&](const OvsPort& row, const OvsInterface& interface, const std::string& port) {
      auto found = std::ranges::find(items, port, &VmItem::port);
      if (found == items.end()) {
        VmItem item;
        item.port = port;
        item.name = name_or_id(domain_name_of(snapshot, port), port);
        const auto mac = interface.external_ids.find("attached-mac");
        if (mac != interface.external_ids.end()) item.mac = parse_mac(mac->second);
        const auto network = row.other_config.find("net_uuid");
        if (network != row.other_config.end()) item.network = network_name(network->second);
        items.push_back(std::move(item));
        found = items.end() - 1;
      }
      found->device = interface.name;
      found->host = host.name;
    });
  }
  std::ranges::sort(items, {}, [](const VmItem& item) { return std::pair(item.name, item.port); });
  return items;
}

// The fip namespace of the host that serves a floating IP has a host route to it, by the router's fpr device.
bool serves(const HostSnapshot& host, const Ip& ip) {
  for (const NamespaceSnapshot& netns : host.namespaces) {
    if (!netns.name.starts_with("fip-")) continue;
    for (const auto& route : netns.routes4.value) {
      const bool by_router = route.value.type == kernel::RouteType::Unicast &&
                             !route.value.nexthops.empty() &&
                             route.value.nexthops.front().device.starts_with("fpr-");
      if (by_router && route.value.destination == host_prefix(ip)) return true;
    }
  }
  return false;
}

std::vector<FloatingIpItem> floating_ips_of(const Snapshot& snapshot, const std::vector<VmItem>& vms,
                                            const std::vector<RouterItem>& routers) {
  std::vector<FloatingIpItem> items;
  for (const logical::FloatingIp& fip : snapshot.logical.floating_ips) {
    const auto vm = std::ranges::find(vms, fip.port_id, &VmItem::port);
    const RouterItem* router = find_id(routers, fip.router_id);
    items.push_back({fip.floating_ip,
                     fip.fixed_ip,
                     vm == vms.end() ? "" : vm->name,
                     router == nullptr ? fip.router_id : name_or_id(router->name, router->id),
                     {}});
  }
  if (snapshot.logical.empty()) {
    for (const HostSnapshot& host : snapshot.hosts) {
      for (const NamespaceSnapshot& netns : host.namespaces) {
        if (!netns.name.starts_with("fip-")) continue;
        for (const auto& route : netns.routes4.value) {
          const Ip& ip = route.value.destination.ip();
          const bool known = std::ranges::find(items, ip, &FloatingIpItem::ip) != items.end();
          if (!known && route.value.destination.host() && serves(host, ip))
            items.push_back({ip, {}, "", "", {}});
        }
      }
    }
  }
  for (FloatingIpItem& item : items) {
    for (const HostSnapshot& host : snapshot.hosts) {
      if (serves(host, item.ip)) item.hosts.push_back(host.name);
    }
  }
  std::ranges::sort(items, {}, &FloatingIpItem::ip);
  return items;
}

}  // namespace

Inventory take_inventory(const Snapshot& snapshot, const Diagnostics& diagnostics, const Sources& sources) {
  Inventory inventory;
  inventory.neutron = !snapshot.logical.empty();
  Gaps gaps(inventory.missing);
  for (const HostSnapshot& host : snapshot.hosts) {
    inventory.hosts.push_back(host_item(host, sources));
    inventory.lines += inventory.hosts.back().lines;
    if (const auto& taken = inventory.hosts.back().taken) widen(inventory.taken, *taken);
    gaps.look_at(host);
  }
  inventory.networks = networks_of(snapshot);
  inventory.routers = routers_of(snapshot);
  inventory.vms = vms_of(snapshot, inventory.networks);
  inventory.floating_ips = floating_ips_of(snapshot, inventory.vms, inventory.routers);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != Severity::Note) inventory.contradictions.push_back(diagnostic);
  }
  return inventory;
}

}  // namespace dvrtrace
