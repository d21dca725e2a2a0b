#include "tracer/verify/dissect.h"

#include <tins/arp.h>
#include <tins/dot1q.h>
#include <tins/ethernetII.h>
#include <tins/exceptions.h>
#include <tins/icmp.h>
#include <tins/icmpv6.h>
#include <tins/ip.h>
#include <tins/ipv6.h>
#include <tins/tcp.h>
#include <tins/udp.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace dvrtrace::verify {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58, kSctp = 132;
constexpr std::uint8_t kSyn = 0x02, kReset = 0x04;

std::uint64_t mixed(std::uint64_t key, std::uint64_t value) {
  key = (key ^ value) * 0x9e3779b97f4a7c15ULL;
  return key ^ key >> 29;
}

const char* tunnel_name(Tunnel tunnel) {
  switch (tunnel) {
    case Tunnel::Vxlan:
      return "vxlan";
    case Tunnel::Geneve:
      return "geneve";
    case Tunnel::Gre:
      return "gre";
    case Tunnel::None:
      break;
  }
  return "";
}

Mac mac_of(const Tins::HWAddress<6>& address) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : address) value = value << 8 | byte;
  return Mac{value};
}

Ip ip_of(const Tins::IPv4Address& address) {
  return ipv4(__builtin_bswap32(static_cast<std::uint32_t>(address)));
}

Ip ip_of(const Tins::IPv6Address& address) {
  std::uint64_t high = 0, low = 0;
  for (const std::uint8_t byte : address) {
    high = high << 8 | low >> 56;
    low = low << 8 | byte;
  }
  return ipv6(high, low);
}

// --- by libtins ----------------------------------------------------------------------------------------

// Reads the layers from `pdu` on into `headers`.
void take(const Tins::PDU* pdu, Headers& headers) {
  bool tagged = false;
  for (; pdu != nullptr; pdu = pdu->inner_pdu()) {
    switch (pdu->pdu_type()) {
      case Tins::PDU::ETHERNET_II: {
        const auto& ethernet = static_cast<const Tins::EthernetII&>(*pdu);
        headers.eth_src = mac_of(ethernet.src_addr());
        headers.eth_dst = mac_of(ethernet.dst_addr());
        break;
      }
      case Tins::PDU::DOT1Q: {
        const auto id = static_cast<std::uint16_t>(static_cast<const Tins::Dot1Q&>(*pdu).id());
        if (!tagged && id != 0) headers.vlan = id;
        tagged = true;
        break;
      }
      case Tins::PDU::ARP: {
        const auto& arp = static_cast<const Tins::ARP&>(*pdu);
        headers.arp_op = arp.opcode();
        headers.ip_src = ip_of(arp.sender_ip_addr());
        headers.ip_dst = ip_of(arp.target_ip_addr());
        return;
      }
      case Tins::PDU::IP: {
        const auto& ip = static_cast<const Tins::IP&>(*pdu);
        headers.ip_src = ip_of(ip.src_addr());
        headers.ip_dst = ip_of(ip.dst_addr());
        headers.ttl = ip.ttl();
        headers.protocol = ip.protocol();
        break;
      }
      case Tins::PDU::IPv6: {
        const auto& ip = static_cast<const Tins::IPv6&>(*pdu);
        headers.ip_src = ip_of(ip.src_addr());
        headers.ip_dst = ip_of(ip.dst_addr());
        headers.ttl = ip.hop_limit();
        break;
      }
      case Tins::PDU::TCP: {
        const auto& tcp = static_cast<const Tins::TCP&>(*pdu);
        headers.protocol = kTcp;
        headers.src_port = tcp.sport();
        headers.dst_port = tcp.dport();
        headers.tcp_flags = static_cast<std::uint16_t>(tcp.flags());
        return;
      }
      case Tins::PDU::UDP: {
        const auto& udp = static_cast<const Tins::UDP&>(*pdu);
        headers.protocol = kUdp;
        headers.src_port = udp.sport();
        headers.dst_port = udp.dport();
        return;
      }
      case Tins::PDU::ICMP: {
        const auto& icmp = static_cast<const Tins::ICMP&>(*pdu);
        headers.protocol = kIcmp;
        headers.icmp_type = static_cast<std::uint8_t>(icmp.type());
        headers.icmp_code = icmp.code();
        return;
      }
      case Tins::PDU::ICMPv6: {
        const auto& icmp = static_cast<const Tins::ICMPv6&>(*pdu);
        headers.protocol = kIcmpv6;
        headers.icmp_type = static_cast<std::uint8_t>(icmp.type());
        headers.icmp_code = icmp.code();
        return;
      }
      default:
        return;
    }
  }
}

enum class Answer { Taken, Unknown, Refused };

// The tenant's packet. Unknown: a layer that libtins has no class for, such as a service tag of 802.1ad.
Answer by_libtins(const Look& look, Headers& headers) {
  // The headers are all that is asked for: the payload would only be copied.
  constexpr std::uint32_t kHeaders = 128;
  const std::uint32_t start = look.ethernet ? look.frame : look.network;
  const bool quotes = look.protocol == kIcmp || look.protocol == kIcmpv6;
  const std::uint32_t needed =
      look.state == Look::State::Arp || quotes ? look.end : look.transport + kHeaders;
  const std::uint32_t end = std::min({look.captured, look.end, needed});
  if (end <= start) return Answer::Refused;
  try {
    if (look.ethernet) {
      const Tins::EthernetII frame(look.bytes + start, end - start);
      take(&frame, headers);
    } else if (look.state == Look::State::Arp) {
      const Tins::ARP arp(look.bytes + start, end - start);
      take(&arp, headers);
    } else if (look.source.v4()) {
      const Tins::IP ip(look.bytes + start, end - start);
      take(&ip, headers);
    } else {
      const Tins::IPv6 ip(look.bytes + start, end - start);
      take(&ip, headers);
    }
  } catch (
      const std::exception&) {  // malformed_packet, option_not_found, and what the library's containers throw
    return Answer::Refused;
  }
  return headers.ip_src == look.source && headers.ip_dst == look.destination ? Answer::Taken
                                                                             : Answer::Unknown;
}

// --- identity --------------------------------------------------------------------------------------------

void take_head(const Look& look, std::uint32_t from, Identity& identity) {
  const std::uint32_t end = std::min(look.captured, look.end);
  if (end <= from) return;
  identity.head_size = static_cast<std::uint8_t>(std::min<std::size_t>(end - from, identity.head.size()));
  std::memcpy(identity.head.data(), look.bytes + from, identity.head_size);
}

void identify_tcp(const Look& look, Identity& identity) {
  const std::uint32_t at = look.transport;
  if (look.captured <
      at + 20) {  // the capturing cut it within the header: the ports and the sequence number are there
    identity.key = mixed(identity.key, look.u32(at + 4));
    return;
  }
  const std::uint32_t header = (look.u8(at + 12) >> 4) * 4U;
  const std::uint8_t flags = look.u8(at + 13);
  identity.sequence = look.u32(at + 4);
  identity.payload = look.end > at + header ? look.end - at - header : 0;
  identity.segment = identity.payload != 0;
  identity.key = mixed(identity.key, identity.sequence);
  identity.key = mixed(identity.key, flags & (kSyn | kReset));
  // Of merged segments the last one's acknowledgement stays.
  if (!identity.segment) identity.key = mixed(identity.key, std::uint64_t{look.u32(at + 8)} << 1 | 1);
  take_head(look, at + header, identity);
}

void identify_icmp(const Look& look, Identity& identity) {
  const std::uint32_t at = look.transport;
  identity.key = mixed(identity.key, std::uint64_t{look.icmp_type} << 8 | look.icmp_code);
  Look quoted;
  if (look_at_quoted(look, quoted)) {  // the quoted addresses are translated back on the way
    identity.key = mixed(identity.key, std::uint64_t{quoted.ip_id} << 8 | quoted.protocol);
    return;
  }
  if (std::min(look.captured, look.end) < at + 8) return;
  identity.key = mixed(identity.key, look.u16(at + 6));  // the sequence number; the id may be translated
  take_head(look, at + 8, identity);
}

}  // namespace

Identity identify(const Look& look) {
  Identity identity;
  if (look.state == Look::State::Arp) {
    identity.key = mixed(mixed(mixed(look.arp_op, look.source.low), look.destination.low), 0x0806);
    return identity;
  }
  identity.key = mixed(mixed(look.protocol, look.ip_id), look.fragment);
  if (look.source.v6()) identity.key = mixed(mixed(identity.key, look.source.low), look.destination.low);
  const std::uint32_t at = look.transport;
  if (!look.has_transport) {
    take_head(look, at, identity);
    return identity;
  }
  switch (look.protocol) {
    case kTcp:
      identify_tcp(look, identity);
      break;
    case kUdp:
      identity.key =
          mixed(identity.key, look.u16(at + 4));  // its length: that of the whole, also in a first fragment
      take_head(look, at + 8, identity);
      break;
    case kSctp:
      identity.key = mixed(identity.key, look.u32(at + 4));  // the verification tag
      take_head(look, at + 12, identity);
      break;
    default:
      identify_icmp(look, identity);
      break;
  }
  return identity;
}

bool Identity::may_be(const Identity& other) const {
  const std::size_t common = std::min(head_size, other.head_size);
  return key == other.key && std::memcmp(head.data(), other.head.data(), common) == 0;
}

Headers headers_of(const Look& look) {
  Headers headers;
  if (look.ethernet) {
    headers.eth_dst = look.mac(look.frame);
    headers.eth_src = look.mac(look.frame + 6);
  }
  headers.eth_type = look.eth_type;
  headers.vlan = look.vlan;
  headers.ip_src = look.source;
  headers.ip_dst = look.destination;
  if (look.state == Look::State::Arp) {
    headers.arp_op = look.arp_op;
  } else {
    headers.protocol = look.protocol;
    headers.ttl = look.ttl;
  }
  if (look.state == Look::State::Ip && look.has_transport) {
    if (look.protocol == kIcmp || look.protocol == kIcmpv6) {
      headers.icmp_type = look.icmp_type;
      headers.icmp_code = look.icmp_code;
    } else {
      headers.src_port = look.source_port;
      headers.dst_port = look.destination_port;
    }
    if (look.protocol == kTcp && std::min(look.captured, look.end) >= look.transport + 14)
      headers.tcp_flags = look.u8(look.transport + 13);
  }
  if (look.tunnel != Tunnel::None)
    headers.encapsulation = {tunnel_name(look.tunnel), look.vni, look.outer_source, look.outer_destination};
  return headers;
}

Dissected dissect(const Look& look) {
  Dissected out;
  out.identity = identify(look);
  out.ethernet = look.ethernet;
  out.headers.eth_type = look.eth_type;
  out.headers.protocol = look.state == Look::State::Ip ? look.protocol : 0;
  const Answer answer = by_libtins(look, out.headers);
  if (answer == Answer::Taken) {
    if (look.tunnel != Tunnel::None)
      out.headers.encapsulation = {tunnel_name(look.tunnel), look.vni, look.outer_source,
                                   look.outer_destination};
    return out;
  }
  out.headers = headers_of(look);
  out.malformed = answer == Answer::Refused && !look.cut();
  return out;
}

}  // namespace dvrtrace::verify
