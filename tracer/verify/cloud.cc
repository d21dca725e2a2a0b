#include "tracer/verify/cloud.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "src/kernel/print.h"

namespace dvrtrace::verify {
namespace {

using openflow::FieldId;

constexpr std::size_t kMostLines = 3;

const Host* find_host(const Network& network, const std::string& name) {
  const std::size_t host = network.find_host(name);
  return host == kNowhere ? nullptr : &network.host(host);
}

bool has_device(const Network& network, const CapturePoint& point) {
  const Host* host = find_host(network, point.host);
  if (host == nullptr) return false;
  const std::size_t netns = host->find_namespace(point.netns);
  if (netns != kNowhere && host->namespaces[netns].find(point.device) != kNowhere) return true;
  if (!point.netns.empty()) return false;
  return std::ranges::any_of(host->bridges, [&](const Bridge& bridge) {
    return bridge.name == point.device || std::ranges::any_of(bridge.ports, [&](const BridgePort& port) {
             return port.name == point.device;
           });
  });
}

// --- routes ----------------------------------------------------------------------------------------------

// The most specific routes by which a namespace sends to an address out of a device, and the rules that lead to their tables.
void explain_by_routes(const Namespace& netns, const std::string& device, const Ip& destination,
                       std::vector<Explanation>& out) {
  const Sourced<kernel::Route>* best = nullptr;
  for (const auto& [key, table] : netns.tables) {
    for (const Sourced<kernel::Route>* route : table.routes) {
      const kernel::Route& value = route->value;
      const bool leads =
          value.type == kernel::RouteType::Unicast && value.destination.contains(destination) &&
          std::ranges::any_of(value.nexthops,
                              [&](const kernel::Nexthop& hop) { return hop.device == device; });
      if (leads && (best == nullptr || value.destination.length() > best->value.destination.length()))
        best = route;
    }
  }
  if (best == nullptr) return;
  const auto& rules = destination.v4() ? netns.rules4 : netns.rules6;
  for (const Sourced<kernel::PolicyRule>* rule : rules) {
    const kernel::PolicyRule& value = rule->value;
    if (value.action != kernel::PolicyRule::Action::Lookup || value.table != best->value.table ||
        value.table == kernel::kTableMain)
      continue;
    if (value.to && !value.to->contains(destination)) continue;
    if (out.size() + 1 < kMostLines) out.push_back({"ip-rule", kernel::to_string(value), rule->at});
  }
  out.push_back({"route", kernel::to_string(best->value), best->at});
}

// --- flows -----------------------------------------------------------------------------------------------

bool may_match(const openflow::Match& match, FieldId field, std::uint64_t value) {
  return (match.mask_of(field).low & value) == match.value_of(field).low;
}

bool sends_to(const openflow::Actions& actions, Ofport port) {
  return std::ranges::any_of(actions, [&](const openflow::Action& action) {
    const auto* output = std::get_if<openflow::Output>(&action.variant());
    return output != nullptr && output->port == port;
  });
}

void explain_by_flows(const Network& network, const Bridge& bridge, Ofport port, const Headers& packet,
                      std::vector<Explanation>& out) {
  if (bridge.dumps == nullptr) return;
  std::vector<const openflow::FlowRow*> rows;
  for (const openflow::FlowRow& row : bridge.dumps->flows.value.flows) {
    const openflow::Match& match = row.flow.match;
    if (!sends_to(row.flow.actions, port) || !may_match(match, FieldId::EthDst, packet.eth_dst.value))
      continue;
    rows.push_back(&row);
  }
  // What names the packet's own destination comes first.
  std::ranges::stable_sort(rows, std::ranges::greater{}, [](const openflow::FlowRow* row) {
    return std::pair{row->flow.match.mask_of(FieldId::EthDst).low != 0, row->flow.priority};
  });
  for (const openflow::FlowRow* row : rows) {
    if (out.size() >= kMostLines) return;
    const SourceText text = network.sources().text(row->at.source);
    out.push_back({"flow",
                   fmt::format("{} table {}, priority {}: {} actions {}", bridge.name, row->flow.table.value,
                               row->flow.priority, text.at(row->match_span), text.at(row->actions_span)),
                   row->at});
  }
}

std::vector<Explanation> explain(const Network& network, const CapturePoint& point, const Headers& packet) {
  std::vector<Explanation> out;
  if (packet.encapsulation) {  // whoever put the tunnel around it decided
    const std::size_t sender = network.host_of_vtep(packet.encapsulation->source);
    if (sender == kNowhere) return out;
    for (const Bridge& bridge : network.host(sender).bridges) {
      for (const BridgePort& port : bridge.ports) {
        if (port.type == PortType::Tunnel && port.tunnel.remote == packet.encapsulation->destination)
          explain_by_flows(network, bridge, port.number, packet, out);
      }
    }
    return out;
  }
  const Host* host = find_host(network, point.host);
  if (host == nullptr) return out;
  const std::size_t netns = host->find_namespace(point.netns);
  if (netns != kNowhere && packet.ip_dst) {
    const Namespace& space = host->namespaces[netns];
    const std::size_t device = space.find(point.device);
    // Sent by the namespace itself, as its address shows.
    if (device != kNowhere && space.devices[device].link->value.mac == packet.eth_src) {
      explain_by_routes(space, point.device, *packet.ip_dst, out);
      return out;
    }
  }
  for (const Bridge& bridge : host->bridges) {
    for (const BridgePort& port : bridge.ports) {
      if (port.name == point.device) explain_by_flows(network, bridge, port.number, packet, out);
    }
  }
  return out;
}

}  // namespace

Cloud cloud_of(const Network& network) {
  return {[&network](const CapturePoint& point) { return has_device(network, point); },
          [&network](const Direction&, std::optional<std::size_t>, const CapturePoint& point,
                     const Headers& packet) { return explain(network, point, packet); }};
}

TunnelPorts tunnel_ports_of(const Network& network, const Trace& trace) {
  std::set<std::string> hosts;
  for (const Direction& direction : trace.directions) {
    for (const Crossing& crossing : direction.crossings) hosts.insert(crossing.host);
  }
  std::set<std::uint16_t> vxlan, geneve;
  for (const std::string& name : hosts) {
    const Host* host = find_host(network, name);
    if (host == nullptr) continue;
    for (const Bridge& bridge : host->bridges) {
      for (const BridgePort& port : bridge.ports) {
        if (port.type == PortType::Tunnel && port.tunnel.type == "vxlan") vxlan.insert(port.tunnel.udp_port);
        if (port.type == PortType::Tunnel && port.tunnel.type == "geneve" && port.tunnel.udp_port != 4789)
          geneve.insert(port.tunnel.udp_port);
      }
    }
  }
  return {{vxlan.begin(), vxlan.end()}, {geneve.begin(), geneve.end()}};
}

}  // namespace dvrtrace::verify
