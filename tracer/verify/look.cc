#include "tracer/verify/look.h"

#include <algorithm>
#include <limits>

namespace dvrtrace::verify {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd, kArp = 0x0806, kVlan = 0x8100, kQinq = 0x88a8,
                        kOldQinq = 0x9100;
constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kGre = 47, kIcmpv6 = 58, kSctp = 132;
constexpr int kLinkNull = 0, kLinkEthernet = 1, kLinkRawOld = 12, kLinkRawOlder = 14, kLinkRaw = 101,
              kLinkLoop = 108, kLinkSll = 113, kLinkIpv4 = 228, kLinkIpv6 = 229, kLinkSll2 = 276;

bool fails(Look& look, std::uint32_t needed) {
  // What ends before the wire's length was cut by the capturing; what ends there is wrong.
  look.state = needed <= look.wire ? Look::State::Short : Look::State::Malformed;
  return false;
}

bool common_type(std::uint16_t type) {
  // clang-format off
  static constexpr std::uint16_t kKnown[] = {0x0027, 0x0842, 0x6558, 0x8035, 0x8100, 0x8137, 0x8847, 0x8848, 0x8863, 0x8864, 0x888e, 0x8899,
                                             0x88a8, 0x88cc, 0x88e5, 0x88e7, 0x88f7, 0x8902, 0x8906, 0x8914, 0x894f, 0x9000, 0x8809, 0x8942};
  // clang-format on
  return type <= 1500 || std::ranges::find(kKnown, type) != std::ranges::end(kKnown);
}

Ip ipv6_at(const Look& look, std::uint32_t at) {
  return ipv6(std::uint64_t{look.u32(at)} << 32 | look.u32(at + 4),
              std::uint64_t{look.u32(at + 8)} << 32 | look.u32(at + 12));
}

// How much of the transport header is looked at; 0: of this protocol nothing.
std::uint32_t looked_at(std::uint8_t protocol) {
  if (protocol == kTcp || protocol == kUdp || protocol == kSctp) return 8;
  return protocol == kIcmp || protocol == kIcmpv6 ? 4 : 0;
}

bool transport(Look& look) {
  const std::uint32_t at = look.transport, length = looked_at(look.protocol);
  look.has_transport = false;
  if (look.fragment != 0 || length == 0) return true;
  if (look.end < at + length) return fails(look, look.wire + 1);
  if (look.captured < at + length) return fails(look, at + length);
  if (length == 4) {
    look.icmp_type = look.u8(at);
    look.icmp_code = look.u8(at + 1);
  } else {
    look.source_port = look.u16(at);
    look.destination_port = look.u16(at + 2);
  }
  look.has_transport = true;
  return true;
}

bool network4(Look& look) {
  const std::uint32_t at = look.network;
  if (look.captured < at + 20) return fails(look, at + 20);
  const std::uint32_t header = (look.u8(at) & 0x0fU) * 4;
  if (look.u8(at) >> 4 != 4 || header < 20) return fails(look, look.wire + 1);
  const std::uint32_t total = look.u16(at + 2);
  // A length of 0 is what the capturing sees of a segment that the card will split.
  look.end = total == 0 ? look.wire : at + total;
  if ((total != 0 && total < header) || look.end > look.wire) return fails(look, look.wire + 1);
  look.ip_id = look.u16(at + 4);
  look.fragment = look.u16(at + 6) & 0x1fff;
  look.ttl = look.u8(at + 8);
  look.protocol = look.u8(at + 9);
  look.source = ipv4(look.u32(at + 12));
  look.destination = ipv4(look.u32(at + 16));
  look.transport = at + header;
  look.state = Look::State::Ip;
  return transport(look);
}

bool network6(Look& look) {
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51,
                         kDestination = 60;
  constexpr int kMostHeaders = 8;
  std::uint32_t at = look.network;
  if (look.captured < at + 40) return fails(look, at + 40);
  if (look.u8(at) >> 4 != 6) return fails(look, look.wire + 1);
  const std::uint32_t payload = look.u16(at + 4);
  look.end = payload == 0 ? look.wire : at + 40 + payload;
  if (look.end > look.wire) return fails(look, look.wire + 1);
  look.ip_id = 0;
  look.fragment = 0;
  look.ttl = look.u8(at + 7);
  look.source = ipv6_at(look, at + 8);
  look.destination = ipv6_at(look, at + 24);
  std::uint8_t next = look.u8(at + 6);
  at += 40;
  for (int i = 0; i < kMostHeaders; ++i) {
    const bool extension = next == kHopByHop || next == kRouting || next == kFragment ||
                           next == kAuthentication || next == kDestination;
    if (!extension) break;
    if (look.captured < at + 8) return fails(look, at + 8);
    const std::uint32_t length = next == kFragment         ? 8
                                 : next == kAuthentication ? (look.u8(at + 1) + 2U) * 4
                                                           : (look.u8(at + 1) + 1U) * 8;
    if (next == kFragment) {
      look.fragment = look.u16(at + 2) >> 3;
      look.ip_id = look.u16(at + 6);
    }
    next = look.u8(at);
    at += length;
  }
  look.protocol = next;
  look.transport = at;
  look.state = Look::State::Ip;
  return transport(look);
}

bool arp(Look& look) {
  const std::uint32_t at = look.network;
  if (look.captured < at + 28) return fails(look, at + 28);
  look.arp_op = look.u16(at + 6);
  look.source = ipv4(look.u32(at + 14));
  look.destination = ipv4(look.u32(at + 24));
  look.end = at + 28;
  look.state = Look::State::Arp;
  return true;
}

bool by_type(Look& look) {
  switch (look.eth_type) {
    case kIpv4:
      return network4(look);
    case kIpv6:
      return network6(look);
    case kArp:
      return arp(look);
    default:
      look.state = common_type(look.eth_type) ? Look::State::Other : Look::State::Strange;
      return false;
  }
}

// The tags, and what follows them; `at`: of the type.
bool after_addresses(Look& look, std::uint32_t at) {
  look.vlan.reset();
  for (int tags = 0;; ++tags) {
    if (look.captured < at + 2) return fails(look, at + 2);
    look.eth_type = look.u16(at);
    at += 2;
    if (look.eth_type != kVlan && look.eth_type != kQinq && look.eth_type != kOldQinq) break;
    if (look.captured < at + 2) return fails(look, at + 2);
    if (tags == 0 && (look.u16(at) & 0x0fff) != 0)
      look.vlan = static_cast<std::uint16_t>(look.u16(at) & 0x0fff);
    at += 2;
  }
  look.network = at;
  return by_type(look);
}

bool frame(Look& look, std::uint32_t at) {
  look.frame = at;
  look.ethernet = true;
  if (look.captured < at + 14) return fails(look, at + 14);
  return after_addresses(look, at + 12);
}

bool raw(Look& look, std::uint32_t at) {
  look.frame = look.network = at;
  look.vlan.reset();
  if (look.captured < at + 1) return fails(look, at + 1);
  const int version = look.u8(at) >> 4;
  look.eth_type = version == 4 ? kIpv4 : version == 6 ? kIpv6 : 0xffff;
  return by_type(look);
}

bool is_one_of(std::uint16_t port, std::uint16_t first, std::uint16_t second,
               const std::vector<std::uint16_t>& others) {
  return port == first || port == second ||
         (!others.empty() && std::ranges::find(others, port) != others.end());
}

}  // namespace

bool known_link_type(int link_type) {
  switch (link_type) {
    case kLinkNull:
    case kLinkLoop:
    case kLinkEthernet:
    case kLinkRawOld:
    case kLinkRawOlder:
    case kLinkRaw:
    case kLinkIpv4:
    case kLinkIpv6:
    case kLinkSll:
    case kLinkSll2:
      return true;
    default:
      return false;
  }
}

bool look_at(std::span<const std::uint8_t> bytes, std::uint32_t wire, int link_type, Look& look) {
  look.bytes = bytes.data();
  look.captured = static_cast<std::uint32_t>(bytes.size());
  look.wire = std::max(wire, look.captured);
  look.link_type = link_type;
  look.tunnel = Tunnel::None;
  look.ethernet = false;
  switch (link_type) {
    case kLinkEthernet:
      return frame(look, 0);
    case kLinkSll:
      look.frame = 0;
      return look.captured < 16 ? fails(look, 16) : after_addresses(look, 14);
    case kLinkSll2:
      look.frame = 0;
      look.vlan.reset();
      if (look.captured < 20) return fails(look, 20);
      look.eth_type = look.u16(0);
      look.network = 20;
      // A tag stands behind this header; its type is then the tag's.
      return look.eth_type == kVlan || look.eth_type == kQinq
                 ? (look.captured < 24 ? fails(look, 24) : after_addresses(look, 22))
                 : by_type(look);
    case kLinkNull:
    case kLinkLoop:
      return raw(look, 4);
    case kLinkRaw:
    case kLinkRawOld:
    case kLinkRawOlder:
    case kLinkIpv4:
    case kLinkIpv6:
      return raw(look, 0);
    default:
      look.state = Look::State::Strange;
      return false;
  }
}

bool look_inside(const TunnelPorts& ports, Look& look) {
  if (look.state != Look::State::Ip || look.fragment != 0) return false;
  std::uint32_t at = look.transport;
  Tunnel tunnel = Tunnel::None;
  std::uint32_t vni = 0;
  if (look.protocol == kUdp && look.has_transport) {
    const bool vxlan = is_one_of(look.destination_port, 4789, 8472, ports.vxlan);
    if (!vxlan && !is_one_of(look.destination_port, 6081, 6081, ports.geneve)) return false;
    at += 8;
    if (look.captured < at + 8) return look.cut() && look.end >= at + 8 ? fails(look, at + 8) : false;
    if (vxlan) {
      if ((look.u8(at) & 0x08) == 0) return false;  // no VNI: not VXLAN
      tunnel = Tunnel::Vxlan;
      vni = look.u32(at + 4) >> 8;
      at += 8;
    } else {
      if (look.u8(at) >> 6 != 0 || look.u16(at + 2) != 0x6558) return false;
      tunnel = Tunnel::Geneve;
      vni = look.u32(at + 4) >> 8;
      at += 8 + (look.u8(at) & 0x3fU) * 4;
    }
  } else if (look.protocol == kGre) {
    if (look.captured < at + 4) return look.cut() ? fails(look, at + 4) : false;
    const std::uint16_t flags = look.u16(at);
    if ((flags & 0x0007) != 0 || look.u16(at + 2) != 0x6558) return false;
    constexpr std::uint16_t kChecksum = 0x8000, kKey = 0x2000, kSequence = 0x1000;
    at += (flags & kChecksum) != 0 ? 8 : 4;
    if ((flags & kKey) != 0) {
      if (look.captured < at + 4) return fails(look, at + 4);
      vni = look.u32(at);
      at += 4;
    }
    if ((flags & kSequence) != 0) at += 4;
    tunnel = Tunnel::Gre;
  } else {
    return false;
  }
  look.tunnel = tunnel;
  look.vni = vni;
  look.outer_source = look.source;
  look.outer_destination = look.destination;
  return frame(look, at);
}

bool is_icmp_error(const Look& look) {
  if (look.state != Look::State::Ip || !look.has_transport) return false;
  const std::uint8_t type = look.icmp_type;
  if (look.protocol == kIcmp) return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  return look.protocol == kIcmpv6 && type >= 1 && type <= 4;
}

bool look_at_quoted(const Look& error, Look& quoted) {
  if (!is_icmp_error(error)) return false;
  quoted = error;
  quoted.network = error.transport + 8;
  // An error quotes no more than the beginning: that its end is not there is as it should be.
  quoted.wire = std::numeric_limits<std::uint32_t>::max();
  const bool whole = error.source.v4() ? network4(quoted) : network6(quoted);
  return whole || quoted.state == Look::State::Short;
}

}  // namespace dvrtrace::verify
