#include "src/report/words.h"

#include <fmt/format.h>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

constexpr std::uint16_t kTypeArp = 0x0806, kTypeIpv4 = 0x0800, kTypeIpv6 = 0x86dd;
constexpr std::uint16_t kVlanPresent = 0x1000, kVlanMask = 0x0fff;

std::string icmp_text(const Headers& packet) {
  const unsigned type = packet.icmp_type.value_or(0), code = packet.icmp_code.value_or(0);
  if (packet.eth_type == kTypeIpv6) {
    switch (type) {
      case 1:
        return fmt::format("ICMPv6 unreachable (code {})", code);
      case 3:
        return "ICMPv6 time exceeded";
      case 128:
        return "ICMPv6 echo request";
      case 129:
        return "ICMPv6 echo reply";
      case 135:
        return "ICMPv6 neighbour solicitation";
      case 136:
        return "ICMPv6 neighbour advertisement";
      default:
        return fmt::format("ICMPv6 type {} code {}", type, code);
    }
  }
  switch (type) {
    case 0:
      return "ICMP echo reply";
    case 3:
      return fmt::format("ICMP unreachable (code {})", code);
    case 8:
      return "ICMP echo request";
    case 11:
      return "ICMP time exceeded";
    default:
      return fmt::format("ICMP type {} code {}", type, code);
  }
}

std::string protocol_text(const Headers& packet) {
  switch (packet.protocol) {
    case 1:
    case 58:
      return icmp_text(packet);
    case 6:
      return "TCP";
    case 17:
      return "UDP";
    case 132:
      return "SCTP";
    default:
      return fmt::format("IP protocol {}", packet.protocol);
  }
}

std::string end_text(const std::optional<Ip>& ip, const std::optional<std::uint16_t>& port) {
  std::string text = ip ? to_string(*ip) : "?";
  if (!port) return text;
  return ip && ip->v6() ? fmt::format("[{}]:{}", text, *port) : fmt::format("{}:{}", text, *port);
}

bool is_mac_field(std::string_view field) {
  for (const std::string_view known :
       {"eth_src", "eth_dst", "dl_src", "dl_dst", "arp_sha", "arp_tha", "nd_sll", "nd_tll"}) {
    if (field == known) return true;
  }
  return false;
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::Note:
      return "note";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "error";
}

// clang-format off
std::string_view in_words(Reason reason) {
  switch (reason) {
    case Reason::ToVm: return "it reaches the VM";
    case Reason::ToRouter: return "it reaches the router itself";
    case Reason::ToDhcp: return "it reaches the DHCP server";
    case Reason::ToMetadata: return "it reaches the metadata proxy";
    case Reason::ToHost: return "it reaches the host";
    case Reason::ByFip: return "it leaves by a floating IP";
    case Reason::BySnat: return "it leaves by the router's SNAT";
    case Reason::ByProviderNetwork: return "it leaves by a provider network";
    case Reason::DropFlow: return "a flow drops it";
    case Reason::TableMiss: return "no flow matches it";
    case Reason::DeadVlan: return "the port is in the dead VLAN 4095: the agent has not wired it";
    case Reason::PortSecurity: return "port security: the port may not use this address";
    case Reason::SecurityGroup: return "no rule of a security group admits it";
    case Reason::ConntrackInvalid: return "the connection table calls it invalid";
    case Reason::ConntrackMark: return "its connection is marked as no longer permitted";
    case Reason::FilterDrop: return "a line of iptables drops it";
    case Reason::AddressScope: return "the address scopes do not fit";
    case Reason::NoRoute: return "there is no route";
    case Reason::ProhibitRoute: return "a route prohibits it";
    case Reason::BlackholeRoute: return "a route swallows it";
    case Reason::UnreachableRoute: return "a route declares it unreachable";
    case Reason::NeighbourFailed: return "nobody answers for the next hop's MAC";
    case Reason::ReversePathFilter: return "its source would not be answered through the device it came in by";
    case Reason::ForwardingOff: return "the namespace does not forward";
    case Reason::TtlExceeded: return "its TTL ran out";
    case Reason::DeviceDown: return "the device is down";
    case Reason::NoSuchPort: return "the bridge has no such port";
    case Reason::VtepUnknown: return "nobody has the tunnel's far address";
    case Reason::VlanUnknown: return "the far host has no translation for its VLAN or VNI";
    case Reason::MtuExceeded: return "it is larger than the MTU and must not be fragmented";
    case Reason::NotAdmitted: return "the port does not admit its VLAN";
    case Reason::NotForThisHost: return "the frame is addressed to another MAC";
    case Reason::NotTranslated: return "its source is no address that the outside could answer";
    case Reason::NoListener: return "nobody listens there";
    case Reason::TranslationFailed: return "Open vSwitch gives the translation of its flows up: too many resubmits";
    case Reason::FloodEmpty: return "there is no port to flood it to";
    case Reason::NotForwarded: return "the bridge does not pass it on";
    case Reason::Loop: return "it came back, unchanged, to where it had been";
    case Reason::DumpMissing: return "a dump is missing";
    case Reason::DumpTruncated: return "a dump breaks off";
    case Reason::LineNotUnderstood: return "a line that could decide was not understood";
    case Reason::ActionNotModelled: return "an action is not followed";
    case Reason::HostMissing: return "it goes to a host that is not in the inputs";
    case Reason::CleanedReport: return "the report went through sos clean, which alters addresses";
    case Reason::HiddenState: return "it depends on what no dump holds";
  }
  return "it depends on what no dump holds";
}
// clang-format on

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string with_name(std::string text, std::string_view name) {
  if (!name.empty()) text += fmt::format(" ({})", printable(name));
  return text;
}

std::string mac_text(const Mac& mac, const Glossary& glossary) {
  const std::string_view name = mac.broadcast() ? "broadcast" : name_in(glossary.macs, mac);
  return with_name(to_string(mac), name);
}

std::string ip_text(const Ip& ip, const Glossary& glossary) {
  return with_name(to_string(ip), name_in(glossary.addresses, ip));
}

std::string vni_text(std::uint64_t vni, const Glossary& glossary) {
  const std::string_view name = name_in(glossary.vnis, vni);
  return fmt::format("VNI {} ({:#x}){}{}", vni, vni, name.empty() ? "" : " = ", printable(name));
}

std::string vlan_text(std::uint16_t vlan, const Place& place, const Glossary& glossary) {
  const bool local = place.kind == PlaceKind::Bridge && glossary.is_local_vlan(place.name);
  const std::string_view name = local ? name_in(glossary.local_vlans, Glossary::HostVlan{place.host, vlan})
                                      : name_in(glossary.provider_vlans, vlan);
  if (vlan == 0) return "VLAN 0";  // a tag with a priority alone
  if (local && vlan == kDeadVlan.value) return "local VLAN 4095 (dead: not wired by the agent)";
  return fmt::format("{} {}{}{}", local ? "local VLAN" : "VLAN", vlan, name.empty() ? "" : " = ",
                     printable(name));
}

std::string table_text(std::string_view table) {
  constexpr std::uint32_t kFirstThatIsAnAddress =
      1u << 24;  // Neutron names tables by number below, by address above
  const auto value = number<std::uint32_t>(table);
  if (!value || *value < kFirstThatIsAnAddress) return printable(table);
  return fmt::format("{} ({})", *value, to_string(ipv4(*value)));
}

std::string rule_text(std::string_view rule) {
  const std::vector<std::string_view> words = words_of(rule);
  std::string text;
  const bool has_priority = !words.empty() && words[0].ends_with(':');
  for (std::size_t i = has_priority ? 1 : 0; i < words.size(); ++i) {
    const bool is_table = i > 0 && (words[i - 1] == "lookup" || words[i - 1] == "table");
    text += (text.empty() ? "" : " ") + (is_table ? table_text(words[i]) : printable(words[i]));
  }
  return text;
}

std::string tunnel_text(const Encapsulation& tunnel, std::string_view arrow, const Glossary& glossary) {
  std::string type = tunnel.type;
  for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return fmt::format("{}, {}, VTEP {} {} VTEP {}", printable(type), vni_text(tunnel.vni, glossary),
                     ip_text(tunnel.source, glossary), arrow, ip_text(tunnel.destination, glossary));
}

std::string_view sign_of(Verdict verdict, bool unicode) {
  switch (verdict) {
    case Verdict::Delivered:
    case Verdict::LeftTheCloud:
      return unicode ? "✓" : "+";
    case Verdict::Dropped:
      return unicode ? "✗" : "X";
    case Verdict::Looped:
      return unicode ? "↺" : "@";
    case Verdict::Unknown:
      return "?";
  }
  return "?";
}

std::string short_name(const std::string& name) {
  const std::size_t dash = name.find('-');
  constexpr std::size_t kDigits = 8, kUuid = 36;
  if (dash == std::string::npos || name.size() != dash + 1 + kUuid || name[dash + 1 + kDigits] != '-')
    return name;
  return name.substr(0, dash + 1 + kDigits);
}

std::string place_text(const Place& place, const Glossary& glossary) {
  const std::string name = printable(place.name);
  switch (place.kind) {
    case PlaceKind::Vm:
      return "VM " + name;
    case PlaceKind::Bridge:
      return name;
    case PlaceKind::LinuxBridge:
      return "Linux bridge " + name;
    case PlaceKind::Namespace:
      if (name.empty() || name == "root") return "root namespace";
      return with_name(name, name_in(glossary.namespaces, place.name));
    case PlaceKind::Tunnel:
      return "tunnel " + name;
    case PlaceKind::Wire:
      return "wire " + name;
    case PlaceKind::Outside:
      return name.empty() || name == "outside" ? "outside" : "outside: " + name;
  }
  return name;
}

std::string device_text(const Device& device, const Glossary& glossary, bool with_number) {
  std::string more;
  if (with_number && device.ofport)
    more = *device.ofport == kPortLocal ? "LOCAL" : fmt::format("port {}", device.ofport->value);
  std::string_view name = glossary.device(device.name);
  name = trim(name.substr(0, name.find('(')));  // "gateway of net1 (router r1)": the place says which router
  if (!name.empty()) more += fmt::format("{}{}", more.empty() ? "" : ", ", name);
  return with_name(printable(device.name), more);
}

std::string packet_text(const Headers& packet, std::string_view arrow) {
  if (packet.eth_type == kTypeArp) {
    const bool asks = packet.arp_op.value_or(1) == 1;
    return fmt::format("ARP {} {} {} {}", asks ? "request" : "reply", end_text(packet.ip_src, {}), arrow,
                       end_text(packet.ip_dst, {}));
  }
  if (packet.eth_type != kTypeIpv4 && packet.eth_type != kTypeIpv6 && !packet.ip_dst) {
    return fmt::format("Ethernet type {:#06x}", packet.eth_type);
  }
  std::string text =
      fmt::format("{} {} {} {}", protocol_text(packet), end_text(packet.ip_src, packet.src_port), arrow,
                  end_text(packet.ip_dst, packet.dst_port));
  if (packet.ttl != 0) text += fmt::format(", TTL {}", packet.ttl);
  return text;
}

std::string frame_text(const Headers& packet, std::string_view arrow, const Place& place,
                       const Glossary& glossary) {
  std::string text =
      fmt::format("{} {} {}", mac_text(packet.eth_src, glossary), arrow, mac_text(packet.eth_dst, glossary));
  if (packet.vlan) text += ", " + vlan_text(*packet.vlan, place, glossary);
  if (packet.tun_id) text += ", " + vni_text(*packet.tun_id, glossary);
  if (packet.encapsulation) text += ", inside " + tunnel_text(*packet.encapsulation, arrow, glossary);
  return text;
}

std::string field_text(std::string_view field, std::string_view value, const Place& place,
                       const Glossary& glossary) {
  if (value.empty()) return "none";
  if (is_mac_field(field)) {
    const auto mac = parse_mac(value);
    return mac ? mac_text(*mac, glossary) : printable(value);
  }
  const auto plain = number(value);
  if (!plain) {
    const auto ip = parse_ip(value);
    return ip ? ip_text(*ip, glossary) : printable(value);
  }
  if (field == "vlan_tci" || field == "vlan_vid") {
    if ((*plain & kVlanPresent) == 0) return "untagged";
    return vlan_text(static_cast<std::uint16_t>(*plain & kVlanMask), place, glossary);
  }
  if (field == "dl_vlan" || field == "vlan")
    return vlan_text(static_cast<std::uint16_t>(*plain & kVlanMask), place, glossary);
  if (field == "tun_id" || field == "tunnel_id") return *plain == 0 ? "none" : vni_text(*plain, glossary);
  return printable(value);
}

}  // namespace dvrtrace
