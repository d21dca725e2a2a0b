// Link: a network device as the kernel shows it, with its addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/base/source.h"
#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::kernel {

struct Address {
  Ip ip;                    // with its host bits
  unsigned length = 0;      // of the connected network
  std::optional<Ip> peer;   // point to point
  std::string scope;        // "global", "link", "host"
  bool secondary = false, tentative = false;
  Prefix network() const { return {peer.value_or(ip), length}; }
  bool operator==(const Address&) const = default;
};

struct Link {
  std::uint32_t index = 0;             // 0: not known (`route -n` knows none)
  std::string name;                    // without "@peer"
  std::string peer;                    // the part after '@': a name, or "if12" for another namespace
  bool up = true;                      // IFF_UP, the administrative state
  bool lower_up = true;                // IFF_LOWER_UP, the carrier
  bool arp = true;                     // no NOARP
  bool loopback = false;
  std::uint32_t mtu = 0;               // bytes; 0: not known
  std::string kind;                    // "veth", "bridge", "tun", "vxlan", "bond", "vlan", ...; "" not known
  std::string master;                  // bridge or bond that it belongs to
  std::string link_netns;              // namespace of the peer, when the dump names it
  std::optional<int> link_netnsid;     // ... or numbers it
  std::optional<Mac> mac;
  std::optional<std::uint16_t> vlan_id;  // kind "vlan"
  std::optional<bool> vlan_filtering;    // kind "bridge"
  std::optional<std::uint32_t> bridge_ageing;  // kind "bridge": centiseconds; 0: never learns
  std::vector<Sourced<Address>> addresses;
  std::vector<std::string> unmodelled;   // what could stop a packet and is not understood: "xdp", "protodown"
  bool operator==(const Link&) const = default;
};

}  // namespace dvrtrace::kernel
