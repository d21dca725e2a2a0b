// Renumber: a host as it was, in the numbers that it has now.
//
// Ofports, local VLANs, groups' and conjunctions' ids, zones of connections and the cookies of flows to be
// learnt are given out anew when an agent or a switch starts. Two snapshots are compared by what the numbers
// stand for: a port's name, a network, the rows that an id ties together. What is gone keeps its number where
// nothing else has that now, so that flows left behind are as they were; else it gets one that nothing has.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "src/model/network.h"
#include "src/snapshot/host.h"

namespace dvrtrace::diff {

// Numbers of one kind, from the one side to the other.
class NumberMap {
 public:
  // `fresh`: where to look, downwards, for a number that nothing has; `reserved`: from here on numbers stay
  // as they are.
  NumberMap(std::uint32_t fresh, std::uint32_t reserved) : fresh_(fresh), reserved_(reserved) {}

  void use(std::uint32_t after) { used_.insert(after); }  // something has it now
  bool used(std::uint32_t after) const { return used_.contains(after); }
  void set(std::uint32_t before, std::uint32_t after) { map_[before] = after; }
  bool knows(std::uint32_t before) const { return map_.contains(before); }
  // The thing with this number is gone.
  void gone(std::uint32_t before) { map_[before] = used(before) ? take_fresh() : before; }
  // A number that nothing is known of is taken for that of a thing that is gone.
  std::uint32_t operator()(std::uint32_t before) {
    if (before >= reserved_) return before;
    if (!knows(before)) gone(before);
    return map_[before];
  }
  bool changes() const;

 private:
  std::uint32_t take_fresh();
  std::uint32_t fresh_, reserved_;
  std::map<std::uint32_t, std::uint32_t> map_;
  std::set<std::uint32_t> used_;
};

// Of a bridge's ports, by their names. Nothing changes where one side does not tell its ports.
NumberMap port_numbers(const Bridge* before, const Bridge* after);

// Of local VLANs, by the networks that they stand for: what the agent wrote beside the ports, and the
// segments that flows translate them to and from.
NumberMap local_vlans(const Host& before, const Host& after);

// The bridge that all ports of VMs and routers are on; "br-int" where nothing says another.
std::string integration_bridge(const HostSnapshot& host);
// It, and those that patch ports tie to it: there a VLAN is a local one.
std::set<std::string> local_vlan_bridges(const Host& host);

// `before` in the numbers of `after`. Rows keep where they were read.
HostSnapshot renumbered(const Host& before, const Host& after);

}  // namespace dvrtrace::diff
