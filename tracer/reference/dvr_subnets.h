// Which MAC each subnet's router has for the DVR flows of a host.
//
// The agent asks the server once per subnet and keeps the answer; where a network has several router ports, one flow stands for
// all of them and the last writer wins. What was written last is Neutron's free choice, so it is taken from the found flow.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "tracer/reference/plan.h"

namespace dvrtrace::reference {

class DvrSubnets {
 public:
  explicit DvrSubnets(const Plan& plan);

  // A distributed router's interface on the subnet is wired here.
  bool owned(std::string_view subnet_id) const { return macs_.contains(subnet_id); }
  // What a routed frame to this port may have as its source; empty where the subnets have no router here.
  std::vector<Mac> gateway_macs(const WiredPort& port) const;
  // The one of `candidates` that the found flow of table `table`, with this match, sets as `field`; else the first.
  Mac chosen(const std::vector<Mac>& candidates, std::uint8_t table, std::optional<std::uint16_t> vlan, Mac destination,
             openflow::FieldId field) const;

 private:
  std::vector<Mac> of_subnet(std::string_view subnet_id, bool snat) const;

  const Plan& plan_;
  std::map<std::string_view, std::vector<Mac>> macs_;  // of the interfaces here, by subnet
};

}  // namespace dvrtrace::reference
