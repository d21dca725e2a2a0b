#include "tracer/engine/packet.h"

#include <array>

namespace dvrtrace {

using openflow::Bits128;
using openflow::FieldId;
using openflow::FlowKey;

namespace {

Ip address(const FlowKey& key, FieldId v4, FieldId v6) {
  if (get64(key, FieldId::EthType) == openflow::kTypeIpv6) {
    const Bits128 bits = get(key, v6);
    return ipv6(bits.high, bits.low);
  }
  return ipv4(static_cast<std::uint32_t>(get64(key, v4)));
}

void set_address(FlowKey& key, const Ip& ip, FieldId v4, FieldId v6) {
  if (ip.v6())
    set(key, v6, {ip.high, ip.low});
  else
    set64(key, v4, ip.low);
}

}  // namespace

Ip Packet::ip_src() const { return address(key, FieldId::IpSrc, FieldId::Ipv6Src); }
Ip Packet::ip_dst() const { return address(key, FieldId::IpDst, FieldId::Ipv6Dst); }
void Packet::set_ip_src(const Ip& ip) { set_address(key, ip, FieldId::IpSrc, FieldId::Ipv6Src); }
void Packet::set_ip_dst(const Ip& ip) { set_address(key, ip, FieldId::IpDst, FieldId::Ipv6Dst); }

kernel::Tuple tuple_of(const FlowKey& key) {
  kernel::Tuple tuple;
  tuple.source = address(key, FieldId::IpSrc, FieldId::Ipv6Src);
  tuple.destination = address(key, FieldId::IpDst, FieldId::Ipv6Dst);
  tuple.protocol = static_cast<std::uint8_t>(get64(key, FieldId::NwProto));
  switch (tuple.protocol) {
    case openflow::kProtoTcp:
    case openflow::kProtoUdp:
    case openflow::kProtoSctp:
      tuple.source_port = static_cast<std::uint16_t>(get64(key, FieldId::TcpSrc));
      tuple.destination_port = static_cast<std::uint16_t>(get64(key, FieldId::TcpDst));
      break;
    case openflow::kProtoIcmp:
    case openflow::kProtoIcmpv6:
      tuple.destination_port =
          static_cast<std::uint16_t>(get64(key, FieldId::IcmpType) << 8 | get64(key, FieldId::IcmpCode));
      break;
    default:
      break;
  }
  return tuple;
}

namespace {

// The type that answers an ICMP request, and back.
std::uint8_t opposite_type(std::uint8_t protocol, std::uint8_t type) {
  if (protocol == openflow::kProtoIcmpv6) return type == 128 ? 129 : type == 129 ? 128 : type;
  switch (type) {
    case 8:
      return 0;
    case 0:
      return 8;
    case 13:
      return 14;
    case 14:
      return 13;
    default:
      return type;
  }
}

bool icmp(std::uint8_t protocol) {
  return protocol == openflow::kProtoIcmp || protocol == openflow::kProtoIcmpv6;
}

}  // namespace

kernel::Tuple inverse(const kernel::Tuple& tuple) {
  kernel::Tuple out = tuple;
  std::swap(out.source, out.destination);
  if (icmp(tuple.protocol)) {
    const auto type = static_cast<std::uint8_t>(tuple.destination_port >> 8);
    out.destination_port = static_cast<std::uint16_t>(opposite_type(tuple.protocol, type) << 8 |
                                                      (tuple.destination_port & 0xff));
  } else {
    std::swap(out.source_port, out.destination_port);
  }
  return out;
}

FlowKey answer_to(const FlowKey& key) {
  FlowKey answer = wire_key(key);
  const auto swap = [&](FieldId a, FieldId b) {
    const Bits128 first = get(answer, a);
    set(answer, a, get(answer, b));
    set(answer, b, first);
  };
  swap(FieldId::EthSrc, FieldId::EthDst);
  swap(FieldId::IpSrc, FieldId::IpDst);
  swap(FieldId::Ipv6Src, FieldId::Ipv6Dst);
  const auto protocol = static_cast<std::uint8_t>(get64(answer, FieldId::NwProto));
  if (icmp(protocol)) {
    set64(answer, FieldId::IcmpType,
          opposite_type(protocol, static_cast<std::uint8_t>(get64(answer, FieldId::IcmpType))));
  } else {
    swap(FieldId::TcpSrc, FieldId::TcpDst);
    constexpr std::uint64_t kSyn = 0x002, kSynAck = 0x012;
    if (protocol == openflow::kProtoTcp && get64(answer, FieldId::TcpFlags) == kSyn)
      set64(answer, FieldId::TcpFlags, kSynAck);
  }
  set64(answer, FieldId::NwTtl, 64);
  return answer;
}

Headers headers_of(const Packet& packet) {
  if (packet.inner == nullptr) return headers_of(packet.key);
  Headers out = headers_of(packet.inner->key);
  out.encapsulation = packet.encapsulation;
  const std::uint64_t tci = get64(packet.key, FieldId::VlanTci);
  if ((tci & openflow::kVlanPresent) != 0) out.vlan = static_cast<std::uint16_t>(tci & 0xfff);
  return out;
}

FlowKey wire_key(const FlowKey& key) {
  static constexpr FlowKey kHeaders = openflow::mask_of(std::array{
      FieldId::EthSrc,   FieldId::EthDst,    FieldId::EthType,    FieldId::VlanTci,       FieldId::VlanTci1,
      FieldId::VlanTpid, FieldId::VlanTpid1, FieldId::IpSrc,      FieldId::IpDst,         FieldId::Ipv6Src,
      FieldId::Ipv6Dst,  FieldId::Ipv6Label, FieldId::ArpOp,      FieldId::NwTos,         FieldId::NwTtl,
      FieldId::IpFrag,   FieldId::ArpSha,    FieldId::ArpTha,     FieldId::TcpSrc,        FieldId::TcpDst,
      FieldId::TcpFlags, FieldId::NdTarget,  FieldId::NdReserved, FieldId::NdOptionsType, FieldId::MplsLabel,
      FieldId::MplsTc,   FieldId::MplsBos,   FieldId::MplsTtl,    FieldId::MplsLse1,      FieldId::MplsLse2});
  FlowKey out = key;
  for (std::size_t word = 0; word < openflow::kKeyWords; ++word) out.words[word] &= kHeaders.words[word];
  return out;
}

}  // namespace dvrtrace
