// Numbers that the found flows tell: what they were written for, where the thing itself is gone or was changed.
//
// A tunnel port that was deleted leaves the flows to it behind; planned under another number, it would make all of them differ
// and hide the one thing that is wrong.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

class FoundNumbers {
 public:
  explicit FoundNumbers(const Plan& plan);

  // The local VLAN that the network's segment is translated to.
  std::optional<std::uint16_t> translated_vlan(const PlannedNetwork& network) const;
  // The local VLAN in which the tunnel and physical bridges know most of the network's MACs.
  std::optional<std::uint16_t> vlan_of_macs(const std::vector<Mac>& macs) const;
  // The port of br-int that sends, or is sent, what bears this MAC.
  std::optional<Ofport> port_of(Mac mac) const;
  // The tunnel port that most of these MACs are behind.
  std::optional<Ofport> tunnel_of(const std::vector<Mac>& macs) const;
  std::optional<Ofport> patch_tun() const;
  std::optional<Ofport> patch_int() const;
  std::optional<Ofport> phy_port(std::string_view bridge) const;

 private:
  const openflow::FlowTable* flows(std::string_view bridge) const;
  void index_macs(const openflow::FlowTable& flows);
  void index_ports(const openflow::FlowTable& flows);

  const Plan& plan_;
  std::map<Mac, std::map<std::uint16_t, unsigned>> vlans_;
  std::map<Mac, Ofport> ports_, tunnels_;
};

}  // namespace dvrtrace::reference
