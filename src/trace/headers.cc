#include "src/trace/headers.h"

#include "src/openflow/field.h"

namespace dvrtrace {

using openflow::FieldId;
using openflow::get64;

Headers headers_of(const openflow::FlowKey& key) {
  Headers out;
  out.eth_src = Mac{get64(key, FieldId::EthSrc)};
  out.eth_dst = Mac{get64(key, FieldId::EthDst)};
  out.eth_type = static_cast<std::uint16_t>(get64(key, FieldId::EthType));
  const std::uint64_t tci = get64(key, FieldId::VlanTci);
  if ((tci & openflow::kVlanPresent) != 0) out.vlan = static_cast<std::uint16_t>(tci & 0xfff);
  if (const std::uint64_t tun_id = get64(key, FieldId::TunId); tun_id != 0) out.tun_id = tun_id;
  if (out.eth_type == openflow::kTypeArp || out.eth_type == openflow::kTypeRarp) {
    out.arp_op = static_cast<std::uint16_t>(get64(key, FieldId::ArpOp));
    out.ip_src = ipv4(static_cast<std::uint32_t>(get64(key, FieldId::ArpSpa)));
    out.ip_dst = ipv4(static_cast<std::uint32_t>(get64(key, FieldId::ArpTpa)));
    return out;
  }
  if (out.eth_type == openflow::kTypeIpv4) {
    out.ip_src = ipv4(static_cast<std::uint32_t>(get64(key, FieldId::IpSrc)));
    out.ip_dst = ipv4(static_cast<std::uint32_t>(get64(key, FieldId::IpDst)));
  } else if (out.eth_type == openflow::kTypeIpv6) {
    const openflow::Bits128 source = get(key, FieldId::Ipv6Src), destination = get(key, FieldId::Ipv6Dst);
    out.ip_src = ipv6(source.high, source.low);
    out.ip_dst = ipv6(destination.high, destination.low);
  } else {
    return out;
  }
  out.protocol = static_cast<std::uint8_t>(get64(key, FieldId::NwProto));
  out.ttl = static_cast<std::uint8_t>(get64(key, FieldId::NwTtl));
  switch (out.protocol) {
    case openflow::kProtoTcp:
      out.tcp_flags = static_cast<std::uint16_t>(get64(key, FieldId::TcpFlags));
      [[fallthrough]];
    case openflow::kProtoUdp:
    case openflow::kProtoSctp:
      out.src_port = static_cast<std::uint16_t>(get64(key, FieldId::TcpSrc));
      out.dst_port = static_cast<std::uint16_t>(get64(key, FieldId::TcpDst));
      break;
    case openflow::kProtoIcmp:
    case openflow::kProtoIcmpv6:
      out.icmp_type = static_cast<std::uint8_t>(get64(key, FieldId::IcmpType));
      out.icmp_code = static_cast<std::uint8_t>(get64(key, FieldId::IcmpCode));
      break;
    default:
      break;
  }
  return out;
}

}  // namespace dvrtrace
