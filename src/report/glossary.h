// Glossary: what numbers and addresses are called. Made once from what the snapshot and Neutron say; a
// report works without.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace {

struct Glossary {
  using HostVlan = std::pair<std::string, std::uint16_t>;
  std::map<HostVlan, std::string> local_vlans;          // on a host's integration bridge -> network
  std::map<std::uint16_t, std::string> provider_vlans;  // on the wire -> network
  std::map<std::uint64_t, std::string> vnis;            // -> network
  std::map<Mac, std::string> macs;      // "vm2", "gateway of net2 (router r1)", "DVR MAC of cmp1"
  std::map<Ip, std::string> addresses;  // "vm2", "floating IP of vm1", "VTEP of cmp2"
  std::map<std::string, std::string, std::less<>> devices;     // "tapf7ddce7f-66" -> "vm1"
  std::map<std::string, std::string, std::less<>> ports;       // "f7ddce7f-66", which all devices of a port bear -> "vm1"
  std::map<std::string, std::string, std::less<>> namespaces;  // "qrouter-..." -> "router r1"
  // Bridges on which a VLAN is a local one; "br-int" and "br-tun" when empty.
  std::set<std::string, std::less<>> local_vlan_bridges;

  std::string_view device(std::string_view name) const;  // "" when it is not known
  bool is_local_vlan(std::string_view bridge) const {
    if (local_vlan_bridges.empty()) return bridge == "br-int" || bridge == "br-tun";
    return local_vlan_bridges.contains(bridge);
  }
};

// The name of something, "" when the glossary has none.
template <class Map, class Key>
std::string_view name_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string_view{} : std::string_view(found->second);
}

inline std::string_view Glossary::device(std::string_view name) const {
  if (const std::string_view known = name_in(devices, name); !known.empty()) return known;
  constexpr std::size_t kPrefix = 3;  // "tap", "qvo", "qr-", ...
  return name.size() <= kPrefix ? std::string_view{} : name_in(ports, name.substr(kPrefix));
}

}  // namespace dvrtrace
