#include "tracer/engine/outside.h"

#include <algorithm>

#include "src/openflow/field.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

bool knows_vlan(const Bridge& bridge, std::uint16_t tag) {
  return std::ranges::any_of(bridge.tables, [&](const auto& table) {
    return table != nullptr && std::ranges::any_of(table->rows(), [&](const openflow::FlowRow* row) {
             const openflow::Match& match = row->flow.match;
             return match.mask_of(FieldId::DlVlan) == openflow::ones128(12) &&
                    match.value_of(FieldId::DlVlan).low == tag;
           });
  });
}

// Without bridge_mappings: the provider bridge with a card whose flows know the local VLAN of the
// floating IPs' or the SNAT's gateway port.
std::optional<ExternalWire> wire_by_flows(const Network& network) {
  for (std::size_t index = 0; index < network.size(); ++index) {
    const Host& host = network.host(index);
    const std::size_t integration = host.find_bridge("br-int");
    if (integration == kNowhere) continue;
    for (const BridgePort& gateway : host.bridges[integration].ports) {
      if (!gateway.name.starts_with("fg-") && !gateway.name.starts_with("qg-")) continue;
      const std::uint16_t tag = host.bridges[integration].bundles[gateway.bundle].tag;
      for (const Bridge& bridge : host.bridges) {
        if (bridge.name == "br-int" || bridge.name == "br-tun" || !knows_vlan(bridge, tag)) continue;
        const auto card = std::ranges::find_if(
            bridge.ports, [](const BridgePort& port) { return port.type == PortType::System; });
        if (card != bridge.ports.end()) return ExternalWire{index, card->name, std::nullopt};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExternalWire> external_wire(const Network& network) {
  network.ask_every_host();
  for (std::size_t host = 0; host < network.size(); ++host) {
    for (const OvsBridge& bridge : network.index(host).ovs.value.bridges) {
      for (const OvsPort& row : bridge.ports) {
        for (const OvsInterface& interface : row.interfaces) {
          const auto physical = network.physical_networks(host, interface.name);
          for (const logical::Network& outside : network.logical().networks) {
            if (!outside.external || std::ranges::find(physical, outside.physical_network) == physical.end())
              continue;
            ExternalWire wire{host, interface.name, std::nullopt};
            if (outside.type == "vlan" && outside.segmentation_id)
              wire.vlan = static_cast<std::uint16_t>(*outside.segmentation_id);
            return wire;
          }
        }
      }
    }
  }
  return wire_by_flows(network);
}

std::optional<Ip> outside_address(const Network& network) {
  for (const logical::Network& outside : network.logical().networks) {
    if (!outside.external) continue;
    for (const logical::Subnet& subnet : network.logical().subnets) {
      if (subnet.network_id == outside.id && subnet.gateway && subnet.gateway->v4()) return subnet.gateway;
    }
  }
  network.ask_every_host();
  // Without Neutron's objects: where the fip and snat namespaces send what leaves.
  for (std::size_t host = 0; host < network.size(); ++host) {
    for (const Namespace& netns : network.host(host).namespaces) {
      if (!netns.name.starts_with("fip-") && !netns.name.starts_with("snat-")) continue;
      for (const auto& [key, table] : netns.tables) {
        for (const auto* route : table.routes) {
          if (route->value.destination.length() == 0 && route->value.destination.ip().v4() &&
              !route->value.nexthops.empty() && route->value.nexthops.front().via)
            return route->value.nexthops.front().via;
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace dvrtrace
