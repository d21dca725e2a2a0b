#include "tracer/reference/mappings.h"

#include <algorithm>
#include <set>
#include <vector>

#include "src/openflow/flow.h"

namespace dvrtrace::reference {

namespace {

using openflow::FieldId;
using openflow::Flow;

// The local VLANs of each physical network, as the agent noted them beside the ports.
std::map<std::string, std::set<std::uint16_t>> local_vlans(const OvsBridge& integration) {
  std::map<std::string, std::set<std::uint16_t>> vlans;
  for (const OvsPort& port : integration.ports) {
    const auto physical = port.other_config.find("physical_network");
    if (physical == port.other_config.end() || physical->second.empty() || physical->second == "None")
      continue;
    auto& known = vlans[physical->second];
    if (port.tag && *port.tag != kDeadVlan.value) known.insert(*port.tag);
  }
  return vlans;
}

struct PhysicalSide {
  std::string bridge;
  std::optional<std::int64_t> int_port;  // of br-int
};

std::vector<PhysicalSide> physical_sides(const HostSnapshot& host, const OvsBridge& integration) {
  std::vector<PhysicalSide> sides;
  for (const OvsBridge& bridge : host.ovs.value.bridges) {
    for (const OvsPort& port : bridge.ports) {
      if (!port.name.starts_with("phy-") || port.interfaces.empty()) continue;
      PhysicalSide side{bridge.name, {}};
      for (const OvsPort& other : integration.ports) {
        // "int-br-ex" to "phy-br-ex": long names are cut alike.
        if (other.name.starts_with("int-") && other.name.substr(4) == port.name.substr(4) &&
            !other.interfaces.empty())
          side.int_port = other.interfaces.front().ofport;
      }
      sides.push_back(std::move(side));
    }
  }
  return sides;
}

bool sets_vlan(const Flow& flow, const std::set<std::uint16_t>& vlans) {
  return std::any_of(flow.actions.begin(), flow.actions.end(), [&](const openflow::Action& action) {
    if (const auto* vid = std::get_if<openflow::SetVlanVid>(&action.variant()))
      return vlans.contains(vid->vid);
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    return set != nullptr && set->field == FieldId::VlanVid &&
           vlans.contains(static_cast<std::uint16_t>(set->value.low & 0xfff));
  });
}

// How many flows show the bridge to carry these local VLANs.
unsigned signs(const HostSnapshot& host, const std::string& integration, const PhysicalSide& side,
               const std::set<std::uint16_t>& vlans) {
  unsigned count = 0;
  if (const BridgeDumps* dumps = host.find_bridge(integration); dumps != nullptr && side.int_port) {
    for (const openflow::FlowRow& row : dumps->flows.value.flows) {
      const bool from =
          row.flow.table.value == 0 && row.flow.match.mask_of(FieldId::InPort).low != 0 &&
          row.flow.match.value_of(FieldId::InPort).low == static_cast<std::uint64_t>(*side.int_port);
      count += from && sets_vlan(row.flow, vlans) ? 1 : 0;
    }
  }
  if (const BridgeDumps* dumps = host.find_bridge(side.bridge)) {
    for (const openflow::FlowRow& row : dumps->flows.value.flows) {
      const std::uint64_t tci = row.flow.match.value_of(FieldId::VlanTci).low;
      count += (tci & 0x1000) != 0 && vlans.contains(static_cast<std::uint16_t>(tci & 0xfff)) ? 1 : 0;
    }
  }
  return count;
}

}  // namespace

std::map<std::string, std::string> found_mappings(const HostSnapshot& host, const OvsBridge& integration) {
  auto vlans = local_vlans(integration);
  std::vector<PhysicalSide> sides = physical_sides(host, integration);
  std::map<std::string, std::string> mappings;
  while (!vlans.empty() && !sides.empty()) {
    unsigned most = 0;
    auto network = vlans.begin();
    auto side = sides.begin();
    for (auto n = vlans.begin(); n != vlans.end(); ++n) {
      for (auto s = sides.begin(); s != sides.end(); ++s) {
        const unsigned count = signs(host, integration.name, *s, n->second);
        if (count > most) most = count, network = n, side = s;
      }
    }
    // Without any sign only one of each leaves no choice.
    if (most == 0 && (vlans.size() != 1 || sides.size() != 1)) break;
    mappings.emplace(network->first, side->bridge);
    vlans.erase(network);
    sides.erase(side);
  }
  for (const PhysicalSide& side : sides) mappings.emplace(side.bridge, side.bridge);
  return mappings;
}

}  // namespace dvrtrace::reference
