#include "tracer/reference/dvr_subnets.h"

#include <algorithm>

namespace dvrtrace::reference {

using openflow::FieldId;

DvrSubnets::DvrSubnets(const Plan& plan) : plan_(plan) {
  if (!plan.options.dvr) return;
  for (const WiredPort& port : plan.ports) {
    if (port.role != Role::DistributedRouter) continue;
    const logical::Port& logical = plan.logical_port(port);
    for (const logical::FixedIp& fixed : logical.fixed_ips) {
      std::vector<Mac>& macs = macs_[fixed.subnet_id];
      const auto subnet = plan.cloud->find_subnet(fixed.subnet_id);
      const bool gateway = subnet && plan.model().subnets[*subnet].gateway == fixed.ip;
      macs.insert(gateway ? macs.begin() : macs.end(), logical.mac);
    }
  }
}

std::vector<Mac> DvrSubnets::of_subnet(std::string_view subnet_id, bool snat) const {
  std::vector<Mac> macs;
  if (const auto found = macs_.find(subnet_id); found != macs_.end()) macs = found->second;
  const auto index = plan_.cloud->find_subnet(subnet_id);
  if (!snat || !index || !plan_.practice.snat_mac_of_gateway) return macs;
  const logical::Subnet& subnet = plan_.model().subnets[*index];
  if (!subnet.gateway) return macs;
  if (const auto owner = plan_.cloud->find_address(subnet.network_id, *subnet.gateway))
    macs.push_back(plan_.cloud->port(*owner).mac);
  return macs;
}

std::vector<Mac> DvrSubnets::gateway_macs(const WiredPort& port) const {
  std::vector<Mac> macs;
  const logical::Port& logical = plan_.logical_port(port);
  for (const logical::FixedIp& fixed : logical.fixed_ips) {
    for (const Mac mac : of_subnet(fixed.subnet_id, port.role == Role::Snat)) {
      if (std::find(macs.begin(), macs.end(), mac) == macs.end()) macs.push_back(mac);
    }
  }
  if (port.role == Role::Snat && !plan_.practice.snat_mac_of_gateway && macs.empty())
    macs.push_back(logical.mac);
  return macs;
}

Mac DvrSubnets::chosen(const std::vector<Mac>& candidates, std::uint8_t table,
                       std::optional<std::uint16_t> vlan, Mac destination, FieldId field) const {
  const BridgeDumps* dumps = plan_.found == nullptr || candidates.size() < 2
                                 ? nullptr
                                 : plan_.found->find_bridge(plan_.options.integration_bridge);
  if (dumps == nullptr) return candidates.front();
  for (const openflow::FlowRow& row : dumps->flows.value.flows) {
    const openflow::Flow& flow = row.flow;
    if (flow.table.value != table || flow.match.value_of(FieldId::EthDst).low != destination.value) continue;
    if (vlan && (flow.match.value_of(FieldId::VlanTci).low & 0xfff) != *vlan) continue;
    for (const openflow::Action& action : flow.actions) {
      const auto* set = std::get_if<openflow::SetField>(&action.variant());
      if (set == nullptr || set->field != field) continue;
      const Mac mac{set->value.low};
      if (std::find(candidates.begin(), candidates.end(), mac) != candidates.end()) return mac;
    }
  }
  return candidates.front();
}

}  // namespace dvrtrace::reference
