#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"
#include "tracer/reference/derivation.h"
#include "tracer/reference/flow_signs.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

// What the agents' names for devices tell of their ports. Taps are instances' where Nova says so, and else DHCP's, which the
// namespaces confirm.
std::string owner_by_device(const OvsInterface& interface) {
  const std::string_view name = interface.name;
  if (name.starts_with("qr-")) return "network:router_interface";
  if (name.starts_with("sg-")) return "network:router_centralized_snat";
  if (name.starts_with("qg-")) return "network:router_gateway";
  if (name.starts_with("fg-")) return "network:floatingip_agent_gateway";
  if (name.starts_with("ha-")) return "network:router_ha_interface";
  if (name.starts_with("spi-")) return "trunk:subport";
  if (name.starts_with("qvo") || interface.external_ids.contains("vm-uuid")) return "compute:nova";
  return interface.type == "internal" ? "network:dhcp" : "compute:nova";
}

std::string text_in(const StringMap& map, std::string_view key) {
  const auto at = map.find(key);
  return at == map.end() || at->second == "None" ? std::string() : at->second;
}

void derive_network(Derivation& all, const std::string& id, const OvsPort& port) {
  Network& network = all.network(id);
  if (const std::string type = text_in(port.other_config, "network_type"); !type.empty()) network.type = type;
  if (const std::string physical = text_in(port.other_config, "physical_network"); !physical.empty())
    network.physical_network = physical;
  if (const auto segment = number<std::uint32_t>(text_in(port.other_config, "segmentation_id")))
    network.segmentation_id = segment;
}

void derive_port(Derivation& all, const std::string& host, const OvsPort& row,
                 const OvsInterface& interface) {
  const std::string id = text_in(interface.external_ids, "iface-id");
  const auto mac = parse_mac(text_in(interface.external_ids, "attached-mac"));
  if (id.empty() || !mac) return;
  const std::string network_id = text_in(row.other_config, "net_uuid");
  if (network_id.empty()) {
    all.caveat("network-of-port", fmt::format("{}: which network {} is on is not in Open vSwitch's database",
                                              host, interface.name));
    return;
  }
  derive_network(all, network_id, row);
  Port& port = all.port(id);
  port.network_id = network_id;
  port.mac = *mac;
  port.host = host;
  port.status = "ACTIVE";
  port.vif_type = "ovs";
  port.device_owner = owner_by_device(interface);
  port.hybrid_plug = interface.name.starts_with("qvo");
  if (const std::string vm = text_in(interface.external_ids, "vm-uuid"); !vm.empty()) port.device_id = vm;
  all.port_of_device[{host, interface.name}] = id;
  all.hosts_of_port[id].insert(host);
  all.port_of_mac[{network_id, *mac}] = id;
  if (interface.ofport && *interface.ofport > 0)
    all.port_of_ofport[{host, Ofport{static_cast<std::uint32_t>(*interface.ofport)}}] = id;
  if (row.tag && *row.tag != kDeadVlan.value) all.network_of_vlan[{host, *row.tag}] = network_id;
}

void name_by_domains(Derivation& all, const HostSnapshot& host) {
  for (const Domain& domain : host.domains) {
    for (const DomainInterface& interface : domain.interfaces) {
      if (interface.port_id.empty() || !all.hosts_of_port.contains(interface.port_id)) continue;
      Port& port = all.port(interface.port_id);
      port.name = domain.instance_name.empty() ? domain.name : domain.instance_name;
      port.device_id = domain.uuid;
    }
  }
}

void derive_agents(Derivation& all, const HostSnapshot& host) {
  if (!host.ovs.present()) return;
  Agent agent;
  agent.id = "openvswitch@" + host.name;
  agent.type = "Open vSwitch agent";
  agent.binary = "neutron-openvswitch-agent";
  agent.host = host.name;
  std::optional<Ip> local;
  if (const auto value = host.config.values.find("ovs.local_ip"); value != host.config.values.end())
    local = parse_ip(trim(value->second.value));
  for (const OvsBridge& bridge : host.ovs.value.bridges) {
    for (const OvsPort& port : bridge.ports) {
      for (const OvsInterface& interface : port.interfaces) {
        if (bridge.name == "br-tun" && !local) local = parse_ip(text_in(interface.options, "local_ip"));
      }
    }
  }
  if (local) {
    all.vtep[host.name] = *local;
    agent.configuration["tunneling_ip"] = to_string(*local);
  }
  all.model.agents.push_back(std::move(agent));
}

}  // namespace

void derive_ports(Derivation& all) {
  for (const HostSnapshot& host : all.snapshot.hosts) {
    for (const OvsBridge& bridge : host.ovs.value.bridges) {
      for (const OvsPort& row : bridge.ports) {
        for (const OvsInterface& interface : row.interfaces) {
          if (interface.external_ids.contains("iface-id")) derive_port(all, host.name, row, interface);
        }
      }
    }
    derive_agents(all, host);
    name_by_domains(all, host);
  }
}

}  // namespace dvrtrace::reference
