#include "tracer/engine/icmp_error.h"

#include <algorithm>
#include <array>

namespace dvrtrace {

using openflow::FieldId;

namespace {

struct TypeAndCode {
  std::uint8_t type = 0, code = 0;
};

TypeAndCode number_of(IcmpError error, bool v6) {
  switch (error) {
    case IcmpError::NoRoute:
      return v6 ? TypeAndCode{1, 0} : TypeAndCode{3, 0};
    case IcmpError::HostUnreachable:
      return v6 ? TypeAndCode{1, 3} : TypeAndCode{3, 1};
    case IcmpError::Prohibited:
      return v6 ? TypeAndCode{1, 1} : TypeAndCode{3, 13};
    case IcmpError::TtlExceeded:
      return v6 ? TypeAndCode{3, 0} : TypeAndCode{11, 0};
    case IcmpError::TooBig:
      return v6 ? TypeAndCode{2, 0} : TypeAndCode{3, 4};
  }
  return {3, 1};
}

struct RejectWith {
  std::string_view name;
  TypeAndCode number;
};
constexpr std::array kRejects4 = {
    RejectWith{"icmp-net-unreachable", {3, 0}},   RejectWith{"icmp-host-unreachable", {3, 1}},
    RejectWith{"icmp-proto-unreachable", {3, 2}}, RejectWith{"icmp-port-unreachable", {3, 3}},
    RejectWith{"icmp-net-prohibited", {3, 9}},    RejectWith{"icmp-host-prohibited", {3, 10}},
    RejectWith{"icmp-admin-prohibited", {3, 13}}};
constexpr std::array kRejects6 = {
    RejectWith{"icmp6-no-route", {1, 0}}, RejectWith{"icmp6-adm-prohibited", {1, 1}},
    RejectWith{"icmp6-addr-unreachable", {1, 3}}, RejectWith{"icmp6-port-unreachable", {1, 4}}};

bool about_error(const Packet& packet) {
  if (packet.quoted) return true;
  const std::uint64_t type = packet.get(FieldId::IcmpType);
  if (packet.protocol() == openflow::kProtoIcmp) return type != 8 && type != 0 && type != 13 && type != 14;
  return packet.protocol() == openflow::kProtoIcmpv6 && type < 128;
}

bool may_be_answered(const Packet& packet) {
  const Ip destination = packet.ip_dst(), source = packet.ip_src();
  const bool broadcast = destination.multicast() || packet.eth_dst().multicast() ||
                         (destination.v4() && destination.low == 0xffffffff);
  const bool later_fragment = (packet.get(FieldId::IpFrag) & openflow::kFragLater) != 0;
  return packet.ip() && !about_error(packet) && !broadcast && !later_fragment && !source.zero() &&
         !source.multicast();
}

Packet icmp_packet(const Packet& packet, TypeAndCode number) {
  const bool v6 = packet.ip_dst().v6();
  Packet error;
  error.set(FieldId::EthType, v6 ? openflow::kTypeIpv6 : openflow::kTypeIpv4);
  error.set(FieldId::NwProto, v6 ? openflow::kProtoIcmpv6 : openflow::kProtoIcmp);
  error.set(FieldId::NwTtl, 64);
  error.set(FieldId::IcmpType, number.type);
  error.set(FieldId::IcmpCode, number.code);
  error.set_ip_src(Ip{packet.ip_dst().family, 0, 0});
  error.set_ip_dst(packet.ip_src());
  error.quoted = tuple_of(packet.key);
  error.size = std::min<std::uint32_t>(packet.size + (v6 ? 48 : 28), v6 ? 1280 : 576);
  return error;
}

}  // namespace

std::optional<Packet> error_about(const Packet& packet, IcmpError error) {
  if (!may_be_answered(packet)) return std::nullopt;
  return icmp_packet(packet, number_of(error, packet.ip_dst().v6()));
}

std::optional<Packet> rejection_of(const Packet& packet, std::string_view with) {
  if (!may_be_answered(packet)) return std::nullopt;
  if (with == "tcp-reset") {
    constexpr std::uint64_t kRst = 0x004, kAck = 0x010;
    const std::uint64_t flags = packet.get(FieldId::TcpFlags);
    if (packet.protocol() != openflow::kProtoTcp || (flags & kRst) != 0) return std::nullopt;
    Packet reset;
    reset.key = answer_to(packet.key);
    reset.set(FieldId::TcpFlags, (flags & kAck) != 0 ? kRst : kRst | kAck);
    reset.size = 40;
    return reset;
  }
  const bool v6 = packet.ip_dst().v6();
  const auto find = [&](const auto& table) {
    const auto found = std::ranges::find(table, with, &RejectWith::name);
    return found == table.end() ? std::nullopt : std::optional(found->number);
  };
  const auto number = v6 ? find(kRejects6) : find(kRejects4);
  return icmp_packet(packet, number.value_or(v6 ? TypeAndCode{1, 4} : TypeAndCode{3, 3}));
}

}  // namespace dvrtrace
