#include "src/openflow/field.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace dvrtrace::openflow {
namespace {

using enum Prerequisite;
using field_table::kTable;

const std::unordered_map<std::string_view, FieldId>& by_name() {
  static const auto* const names = [] {
    auto* map = new std::unordered_map<std::string_view, FieldId>();  // lives as long as the program
    for (const FieldInfo& field : kTable) {
      map->emplace(field.name, field.id);
      for (const std::string_view other : field.other_names) {
        if (!other.empty()) map->emplace(other, field.id);
      }
    }
    return map;
  }();
  return *names;
}

bool is_nd(const FlowKey& key) {
  const std::uint64_t type = get64(key, FieldId::Icmpv6Type);
  return exists(key, Icmp6) && (type == 135 || type == 136) && get64(key, FieldId::Icmpv6Code) == 0;
}

}  // namespace

std::optional<FieldId> find_field(std::string_view name) {
  const auto found = by_name().find(name);
  if (found == by_name().end()) return std::nullopt;
  return found->second;
}

Bits128 get(const FlowKey& key, const Subfield& part) {
  return get(key, info(part.field)) >> part.offset & ones128(part.bits);
}

void set(FlowKey& key, const Subfield& part, Bits128 value) {
  const FieldInfo& field = info(part.field);
  const Bits128 mask = ones128(part.bits) << part.offset;
  set(key, field, (get(key, field) & ~mask) | (value << part.offset & mask));
}

bool exists(const FlowKey& key, Prerequisite needs) {
  const std::uint64_t type = get64(key, FieldId::EthType);
  const std::uint64_t proto = get64(key, FieldId::NwProto);
  const bool ip = type == kTypeIpv4 || type == kTypeIpv6;
  // Only the first fragment has a transport header.
  const bool transport = ip && (get64(key, FieldId::IpFrag) & kFragLater) == 0;
  switch (needs) {
    case None:
    case Ethernet: return true;
    case Vlan: return (get64(key, FieldId::VlanTci) & kVlanPresent) != 0;
    case Mpls: return type == kTypeMpls || type == kTypeMplsMulticast;
    case Ip4: return type == kTypeIpv4;
    case Ip6: return type == kTypeIpv6;
    case Ip: return ip;
    case Arp: return type == kTypeArp || type == kTypeRarp;
    case Tcp: return transport && proto == kProtoTcp;
    case Udp: return transport && proto == kProtoUdp;
    case Sctp: return transport && proto == kProtoSctp;
    case Icmp4: return transport && type == kTypeIpv4 && proto == kProtoIcmp;
    case Icmp6: return transport && type == kTypeIpv6 && proto == kProtoIcmpv6;
    case Nd: return is_nd(key);
    case NdSolicit: return is_nd(key) && get64(key, FieldId::Icmpv6Type) == 135;
    case NdAdvert: return is_nd(key) && get64(key, FieldId::Icmpv6Type) == 136;
    case Tracked: return (get64(key, FieldId::CtState) & kCtTracked) != 0;
    case Nsh: return type == kTypeNsh;
  }
  return false;
}

}  // namespace dvrtrace::openflow
