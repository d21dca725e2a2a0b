// FlowSigns: what the flows of a bridge show about those who programmed them.
#pragma once

#include <cstdint>
#include <string_view>

#include "src/snapshot/host.h"

namespace dvrtrace::reference {

class FlowSigns {
 public:
  FlowSigns(const HostSnapshot& host, std::string_view bridge);
  explicit FlowSigns(const openflow::FlowTable* flows) : flows_(flows) {}

  bool empty() const { return flows_ == nullptr || flows_->flows.empty(); }
  bool has_table(std::uint8_t table) const;
  bool has(std::uint8_t table, std::uint16_t priority) const;
  bool has_field(std::uint8_t table, std::uint16_t priority, openflow::FieldId field) const;
  // A flow without a match that goes on in table `to`.
  bool resubmits(std::uint8_t table, std::uint16_t priority, std::uint8_t to) const;
  bool has_cookies() const;
  bool dead_vlan_with_tag() const;  // table 0 drops dl_vlan=4095, not vlan_tci=0x0fff/0x1fff
  bool subnet_flow() const;         // Juno's "ip,nw_dst=<subnet>" of table 1

 private:
  const openflow::FlowTable* flows_ = nullptr;
};

}  // namespace dvrtrace::reference
