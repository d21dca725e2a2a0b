#include "tracer/reference/group_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/text.h"

namespace dvrtrace::reference {

using namespace logical;

namespace {

struct ProtocolName {
  std::string_view name;
  std::uint8_t number;
};
constexpr ProtocolName kProtocols[] = {
    {"ah", 51},        {"dccp", 33},      {"egp", 8},         {"esp", 50},       {"gre", 47},
    {"icmp", 1},       {"icmpv6", 58},    {"igmp", 2},        {"ipip", 4},       {"ipv6-encap", 41},
    {"ipv6-frag", 44}, {"ipv6-icmp", 58}, {"ipv6-nonxt", 59}, {"ipv6-opts", 60}, {"ipv6-route", 43},
    {"ospf", 89},      {"pgm", 113},      {"rsvp", 46},       {"sctp", 132},     {"tcp", 6},
    {"udp", 17},       {"udplite", 136},  {"vrrp", 112}};

std::optional<std::uint8_t> protocol_of(const std::string& text, Family family) {
  std::optional<std::uint8_t> protocol = number<std::uint8_t>(text);
  const std::string name = to_lower(text);
  for (const ProtocolName& known : kProtocols) {
    if (known.name == name) protocol = known.number;
  }
  // ICMP in a rule for IPv6 is ICMPv6.
  if (protocol == kIcmp && family == Family::V6) return kIcmp6;
  return protocol;
}

GroupRule effective(const SecurityGroupRule& rule, const std::string& group) {
  GroupRule is;
  is.group = group;
  is.ingress = to_lower(rule.direction) != "egress";
  is.family = to_lower(rule.ethertype) == "ipv6" ? Family::V6 : Family::V4;
  is.protocol = protocol_of(rule.protocol, is.family);
  is.min = rule.port_min;
  is.max = rule.port_max;
  if (rule.remote_ip && rule.remote_ip->length() != 0) is.remote_ip = rule.remote_ip;
  is.address_group = rule.remote_group_id.empty() && !rule.remote_address_group_id.empty();
  is.remote = is.address_group ? rule.remote_address_group_id : rule.remote_group_id;
  return is;
}

}  // namespace

std::vector<GroupRule> rules_of(const Plan& plan, const Port& port) {
  std::vector<GroupRule> rules;
  for (const std::string& id : port.security_groups) {
    const auto group = plan.cloud->find_group(id);
    if (!group) continue;
    for (const SecurityGroupRule& rule : plan.model().security_groups[*group].rules)
      rules.push_back(effective(rule, id));
  }
  return rules;
}

std::vector<Member> members_of(const Plan& plan, const std::string& remote, bool address_group,
                               Family family) {
  std::vector<Member> members;
  const auto add = [&](const Prefix& prefix, Mac mac) {
    if (prefix.ip().family == family) members.push_back({prefix, mac});
  };
  if (address_group) {
    if (const auto group = plan.cloud->find_address_group(remote)) {
      for (const Prefix& prefix : plan.model().address_groups[*group].addresses) add(prefix, {});
    }
  } else {
    for (const std::size_t index : plan.cloud->members_of_group(remote)) {
      const Port& port = plan.cloud->port(index);
      for (const FixedIp& fixed : port.fixed_ips) add(host_prefix(fixed.ip), port.mac);
      for (const AddressPair& pair : port.allowed_pairs) add(pair.ip, pair.mac.value_or(port.mac));
    }
  }
  // Of two with one address the first counts.
  std::ranges::stable_sort(members, {}, &Member::address);
  const auto same = std::ranges::unique(members, {}, &Member::address);
  members.erase(same.begin(), same.end());
  return members;
}

std::vector<std::string> port_masks(int min, int max) {
  std::vector<std::string> masks;
  constexpr int kPorts = 65536;
  for (int at = std::max(min, 0); at <= max && at < kPorts;) {
    int size = 1;
    while (at % (size * 2) == 0 && at + size * 2 - 1 <= max && size < kPorts) size *= 2;
    masks.push_back(size == 1 ? fmt::format("{}", at) : fmt::format("{:#x}/{:#x}", at, kPorts - size));
    at += size;
  }
  return masks;
}

}  // namespace dvrtrace::reference
