#include "tracer/reference/found_numbers.h"

#include <algorithm>

namespace dvrtrace::reference {

using openflow::FieldId;
using openflow::Flow;
using openflow::FlowRow;

namespace {

bool is_segment_match(const openflow::Flow& flow, const PlannedNetwork& network, const Plan& plan,
                      bool tunnelled) {
  if (tunnelled) {
    const std::uint8_t table = network.type == Segmentation::Gre      ? 3
                               : network.type == Segmentation::Geneve ? 6
                                                                      : 4;
    return flow.table.value == table && flow.match.mask_of(FieldId::TunId).low != 0 &&
           flow.match.value_of(FieldId::TunId).low == network.segment;
  }
  if (flow.table.value != 0 || flow.priority != 3 || !network.bridge) return false;
  if (flow.match.value_of(FieldId::InPort).low != plan.bridges[*network.bridge].int_port.value) return false;
  const bool tagged = (flow.match.value_of(FieldId::VlanTci).low & 0x1000) != 0;
  if (network.type == Segmentation::Flat) return !tagged;
  return tagged && (flow.match.value_of(FieldId::VlanTci).low & 0xfff) == network.segment;
}

std::optional<std::uint16_t> vlan_set(const openflow::Actions& actions) {
  for (const openflow::Action& action : actions) {
    if (const auto* vid = std::get_if<openflow::SetVlanVid>(&action.variant())) return vid->vid;
    const auto* set = std::get_if<openflow::SetField>(&action.variant());
    const bool vlan = set != nullptr && (set->field == FieldId::VlanVid || set->field == FieldId::DlVlan ||
                                         set->field == FieldId::VlanTci);
    if (vlan) return static_cast<std::uint16_t>(set->value.low & 0xfff);
  }
  return std::nullopt;
}

bool asks(const Flow& flow, FieldId field) { return flow.match.mask_of(field).low != 0; }

std::optional<std::uint16_t> tagged(const Flow& flow) {
  const std::uint64_t tci = flow.match.value_of(FieldId::VlanTci).low;
  if ((tci & 0x1000) == 0) return std::nullopt;
  return static_cast<std::uint16_t>(tci & 0xfff);
}

std::optional<std::uint8_t> next_table(const Flow& flow) {
  for (const openflow::Action& action : flow.actions) {
    if (const auto* next = std::get_if<openflow::GotoTable>(&action.variant())) return next->table.value;
    const auto* next = std::get_if<openflow::Resubmit>(&action.variant());
    if (next != nullptr && next->table) return next->table->value;
  }
  return std::nullopt;
}

std::optional<Ofport> output_of(const Flow& flow) {
  for (const openflow::Action& action : flow.actions) {
    const auto* output = std::get_if<openflow::Output>(&action.variant());
    if (output != nullptr && output->port < kFirstReservedPort) return output->port;
  }
  return std::nullopt;
}

// The in_port of the first flow that `test` takes.
template <class Test>
std::optional<Ofport> in_port_of(const openflow::FlowTable* flows, Test test) {
  if (flows == nullptr) return std::nullopt;
  for (const FlowRow& row : flows->flows) {
    if (asks(row.flow, FieldId::InPort) && test(row.flow))
      return Ofport{static_cast<std::uint32_t>(row.flow.match.value_of(FieldId::InPort).low)};
  }
  return std::nullopt;
}

template <class Key>
std::optional<Key> most(const std::map<Key, unsigned>& votes) {
  const auto at = std::max_element(votes.begin(), votes.end(),
                                   [](const auto& a, const auto& b) { return a.second < b.second; });
  return at == votes.end() ? std::nullopt : std::optional(at->first);
}

}  // namespace

FoundNumbers::FoundNumbers(const Plan& plan) : plan_(plan) {
  if (const auto* tun = flows(plan.options.tunnel_bridge)) index_macs(*tun);
  for (const auto& [physical, bridge] : plan.options.bridge_mappings) {
    if (const auto* phys = flows(bridge)) index_macs(*phys);
  }
  if (const auto* integration = flows(plan.options.integration_bridge)) index_ports(*integration);
}

const openflow::FlowTable* FoundNumbers::flows(std::string_view bridge) const {
  const BridgeDumps* dumps = plan_.found == nullptr ? nullptr : plan_.found->find_bridge(bridge);
  return dumps == nullptr ? nullptr : &dumps->flows.value;
}

void FoundNumbers::index_macs(const openflow::FlowTable& flows) {
  for (const FlowRow& row : flows.flows) {
    const Flow& flow = row.flow;
    const auto vlan = tagged(flow);
    const FieldId field = asks(flow, FieldId::EthDst) ? FieldId::EthDst : FieldId::EthSrc;
    const Mac mac{flow.match.value_of(field).low};
    if (!vlan || mac.zero() || openflow::learned(flow)) continue;
    ++vlans_[mac][*vlan];
    if (flow.table.value != 20 || field != FieldId::EthDst) continue;
    if (const auto port = output_of(flow)) tunnels_.emplace(mac, *port);
  }
}

void FoundNumbers::index_ports(const openflow::FlowTable& flows) {
  for (const FlowRow& row : flows.flows) {
    const Flow& flow = row.flow;
    if (asks(flow, FieldId::EthSrc) && asks(flow, FieldId::InPort) && flow.table.value >= 24)
      ports_.emplace(Mac{flow.match.value_of(FieldId::EthSrc).low},
                     Ofport{static_cast<std::uint32_t>(flow.match.value_of(FieldId::InPort).low)});
    const auto output = output_of(flow);
    if (!output) continue;
    if (flow.table.value == 60 && asks(flow, FieldId::EthDst))
      ports_.emplace(Mac{flow.match.value_of(FieldId::EthDst).low}, *output);
    // A router's port is known by the MAC that its frames get.
    for (const openflow::Action& action : flow.actions) {
      const auto* set = std::get_if<openflow::SetField>(&action.variant());
      const bool routers = flow.table.value == 3 || flow.table.value == 4;
      if (routers && set != nullptr && set->field == FieldId::EthDst)
        ports_.emplace(Mac{set->value.low}, *output);
    }
  }
}

std::optional<std::uint16_t> FoundNumbers::translated_vlan(const PlannedNetwork& network) const {
  const bool tunnelled = network.tunnelled();
  const auto* table = flows(tunnelled ? plan_.options.tunnel_bridge : plan_.options.integration_bridge);
  if (table == nullptr) return std::nullopt;
  for (const FlowRow& row : table->flows) {
    if (is_segment_match(row.flow, network, plan_, tunnelled)) return vlan_set(row.flow.actions);
  }
  return std::nullopt;
}

std::optional<std::uint16_t> FoundNumbers::vlan_of_macs(const std::vector<Mac>& macs) const {
  std::map<std::uint16_t, unsigned> votes;
  for (const Mac mac : macs) {
    const auto found = vlans_.find(mac);
    if (found == vlans_.end()) continue;
    for (const auto& [vlan, count] : found->second) votes[vlan] += count;
  }
  return most(votes);
}

std::optional<Ofport> FoundNumbers::port_of(Mac mac) const {
  const auto found = ports_.find(mac);
  return found == ports_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Ofport> FoundNumbers::tunnel_of(const std::vector<Mac>& macs) const {
  std::map<Ofport, unsigned> votes;
  for (const Mac mac : macs) {
    if (const auto found = tunnels_.find(mac); found != tunnels_.end()) ++votes[found->second];
  }
  return most(votes);
}

std::optional<Ofport> FoundNumbers::patch_tun() const {
  return in_port_of(flows(plan_.options.integration_bridge), [](const Flow& flow) {
    return flow.table.value == 0 && flow.priority == 2 && asks(flow, FieldId::EthSrc) &&
           next_table(flow) == 1;
  });
}

std::optional<Ofport> FoundNumbers::patch_int() const {
  return in_port_of(flows(plan_.options.tunnel_bridge), [](const Flow& flow) {
    return flow.table.value == 0 && flow.priority == 1 && (next_table(flow) == 1 || next_table(flow) == 2);
  });
}

std::optional<Ofport> FoundNumbers::phy_port(std::string_view bridge) const {
  return in_port_of(flows(bridge),
                    [](const Flow& flow) { return flow.table.value == 0 && flow.priority == 2; });
}

}  // namespace dvrtrace::reference
