// Look: a first look at a frame, at fixed offsets and without a copy: what is cheap enough to ask of every
// packet of a capture. It finds the innermost layer of interest one tunnel at a time: the outside first, then
// what VXLAN, Geneve or GRE carry.
//
//   Look look;
//   for (bool more = look_at(bytes, length, link_type, ports, look); more; more = look_inside(ports, look)) ...
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace::verify {

enum class Tunnel : std::uint8_t { None, Vxlan, Geneve, Gre };

// UDP ports besides the registered ones at which tunnels end.
struct TunnelPorts {
  std::vector<std::uint16_t> vxlan, geneve;
};

struct Look {
  enum class State : std::uint8_t {
    Ip,  // an address pair, and of known protocols that are not fragments what stands behind it
    Arp,
    Other,      // neither; a type of frame that is known
    Strange,    // neither; a type of frame that nobody knows
    Short,      // the capturing cut it before it could be told
    Malformed,  // its lengths contradict each other
  };
  State state = State::Other;
  const std::uint8_t* bytes = nullptr;
  std::uint32_t captured = 0;  // bytes that are there
  std::uint32_t wire = 0;      // bytes that were there on the wire
  int link_type = 1;

  bool ethernet = false;                                // has both Ethernet addresses, at `frame`
  std::uint32_t frame = 0, network = 0, transport = 0;  // offsets
  std::uint32_t end = 0;                                // of the IP packet, as its header says
  std::uint16_t eth_type = 0;
  std::optional<std::uint16_t> vlan;  // of the outer tag; priority tags are none
  Ip source, destination;             // ARP: sender's and target's
  std::uint8_t protocol = 0, ttl = 0;
  std::uint16_t ip_id = 0, fragment = 0;  // offset in units of eight bytes
  bool has_transport = false;             // ports or ICMP type are there
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::uint16_t arp_op = 0;

  Tunnel tunnel = Tunnel::None;  // around this layer
  std::uint32_t vni = 0;
  Ip outer_source, outer_destination;

  bool cut() const { return captured < wire; }
  std::uint8_t u8(std::uint32_t at) const { return bytes[at]; }
  std::uint16_t u16(std::uint32_t at) const {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
  }
  std::uint32_t u32(std::uint32_t at) const { return std::uint32_t{u16(at)} << 16 | u16(at + 2); }
  Mac mac(std::uint32_t at) const { return Mac{std::uint64_t{u16(at)} << 32 | u32(at + 2)}; }
};

// Whether frames of a link type can be looked at at all.
bool known_link_type(int link_type);

// The outermost layer. False when there is none to be seen; `look.state` tells why.
bool look_at(std::span<const std::uint8_t> bytes, std::uint32_t wire, int link_type, Look& look);

// The layer within the tunnel that this one is; false when it is none.
bool look_inside(const TunnelPorts& ports, Look& look);

// What an ICMP error quotes: the packet that it is about.
bool look_at_quoted(const Look& error, Look& quoted);
bool is_icmp_error(const Look& look);

}  // namespace dvrtrace::verify
