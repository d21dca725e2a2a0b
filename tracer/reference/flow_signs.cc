#include "tracer/reference/flow_signs.h"

#include <algorithm>

namespace dvrtrace::reference {

using openflow::FieldId;
using openflow::FlowRow;

namespace {

template <class Test>
bool any(const openflow::FlowTable* flows, Test test) {
  return flows != nullptr && std::any_of(flows->flows.begin(), flows->flows.end(),
                                         [&](const FlowRow& row) { return test(row.flow); });
}

bool masks(const openflow::Flow& flow, FieldId field) {
  const auto mask = flow.match.mask_of(field);
  return mask.low != 0 || mask.high != 0;
}

}  // namespace

FlowSigns::FlowSigns(const HostSnapshot& host, std::string_view bridge) {
  if (const BridgeDumps* dumps = host.find_bridge(bridge)) flows_ = &dumps->flows.value;
}

bool FlowSigns::has_table(std::uint8_t table) const {
  return any(flows_, [&](const openflow::Flow& flow) { return flow.table.value == table; });
}

bool FlowSigns::has(std::uint8_t table, std::uint16_t priority) const {
  return any(flows_, [&](const openflow::Flow& flow) {
    return flow.table.value == table && flow.priority == priority;
  });
}

bool FlowSigns::has_field(std::uint8_t table, std::uint16_t priority, FieldId field) const {
  return any(flows_, [&](const openflow::Flow& flow) {
    return flow.table.value == table && flow.priority == priority && masks(flow, field);
  });
}

bool FlowSigns::resubmits(std::uint8_t table, std::uint16_t priority, std::uint8_t to) const {
  return any(flows_, [&](const openflow::Flow& flow) {
    if (flow.table.value != table || flow.priority != priority || !flow.match.words.empty() ||
        flow.actions.size() != 1)
      return false;
    const auto& action = flow.actions.front().variant();
    if (const auto* next = std::get_if<openflow::Resubmit>(&action))
      return next->table && next->table->value == to;
    const auto* next = std::get_if<openflow::GotoTable>(&action);
    return next != nullptr && next->table.value == to;
  });
}

bool FlowSigns::has_cookies() const {
  return any(flows_, [](const openflow::Flow& flow) { return flow.cookie != 0; });
}

bool FlowSigns::dead_vlan_with_tag() const {
  return any(flows_, [](const openflow::Flow& flow) {
    return flow.table.value == 0 && flow.priority == 65535 &&
           (flow.match.mask_of(FieldId::VlanTci).low & 0x1000) != 0 &&
           (flow.match.value_of(FieldId::VlanTci).low & 0x1000) != 0;
  });
}

bool FlowSigns::subnet_flow() const {
  return any(flows_, [](const openflow::Flow& flow) {
    return flow.table.value == 1 && flow.priority == 2 && masks(flow, FieldId::IpDst);
  });
}

}  // namespace dvrtrace::reference
