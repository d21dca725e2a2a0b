// Headers: one packet as it is at one place, in the fields that people and captures speak of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "src/base/box.h"
#include "src/net/ip.h"
#include "src/net/mac.h"
#include "src/openflow/flow_key.h"

namespace dvrtrace {

// What a tunnel puts around a packet.
struct Encapsulation {
  std::string type;  // "vxlan", "gre", "geneve"
  std::uint32_t vni = 0;
  Ip source, destination;
  bool operator==(const Encapsulation&) const = default;
};

struct Headers {
  Mac eth_src, eth_dst;
  std::uint16_t eth_type = 0;
  std::optional<std::uint16_t> vlan;      // VLAN id of the outer tag; none: untagged
  std::optional<std::uint64_t> tun_id;    // inside a bridge: from or for a tunnel
  std::optional<Ip> ip_src, ip_dst;       // ARP: sender's and target's address
  std::uint8_t protocol = 0;
  std::uint8_t ttl = 0;
  std::optional<std::uint16_t> src_port, dst_port;   // TCP, UDP, SCTP
  std::optional<std::uint8_t> icmp_type, icmp_code;
  std::optional<std::uint16_t> arp_op;
  std::optional<std::uint16_t> tcp_flags;
  std::optional<Encapsulation> encapsulation;        // on an underlay device: the outside
  bool operator==(const Headers&) const = default;
};

// The headers that a key holds. `encapsulation` is left empty.
Headers headers_of(const openflow::FlowKey& key);

}  // namespace dvrtrace
