#include "tracer/reference/security_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace dvrtrace::reference {

using namespace logical;

namespace {

constexpr std::size_t kSetName = 29;

bool is_icmp(const std::string& protocol) {
  return protocol == "icmp" || protocol == "1" || protocol == "ipv6-icmp" || protocol == "icmpv6" ||
         protocol == "58";
}

// As iptables-save prints it.
std::string protocol_of(const std::string& protocol, Family family) {
  if (is_icmp(protocol)) return family == Family::V4 ? "icmp" : "ipv6-icmp";
  if (protocol == "6") return "tcp";
  if (protocol == "17") return "udp";
  if (protocol == "132") return "sctp";
  return protocol == "ipip" ? "ipencap" : protocol;
}

bool has_ports(std::string_view protocol) {
  return protocol == "tcp" || protocol == "udp" || protocol == "sctp" || protocol == "dccp" ||
         protocol == "udplite" || protocol == "33" || protocol == "136";
}

std::string ports_text(const SecurityGroupRule& rule, std::string_view protocol) {
  const int first = *rule.port_min, last = rule.port_max.value_or(first);
  const std::string match = protocol == "udplite" || protocol == "136" ? "" : fmt::format("-m {} ", protocol);
  if (first == last && !match.empty()) return fmt::format("{}--dport {} ", match, first);
  return fmt::format("{}-m multiport --dports {}:{} ", match, first, last);
}

std::string protocol_text(const SecurityGroupRule& rule, Family family) {
  if (rule.protocol.empty()) return {};
  const std::string protocol = protocol_of(rule.protocol, family);
  if (protocol == "0" || protocol == "any" || protocol == "all") return {};
  std::string text = fmt::format("-p {} ", protocol);
  if (!rule.port_min) return text;
  if (is_icmp(rule.protocol)) {
    text += family == Family::V4 ? "-m icmp --icmp-type " : "-m icmp6 --icmpv6-type ";
    text += rule.port_max ? fmt::format("{}/{} ", *rule.port_min, *rule.port_max)
                          : fmt::format("{} ", *rule.port_min);
  } else if (has_ports(protocol)) {
    text += ports_text(rule, protocol);
  }
  return text;
}

}  // namespace

std::vector<std::string> SecurityRules::texts(const SecurityGroupRule& rule, Family family,
                                              bool ingress) const {
  const Family of = rule.ethertype == "IPv6" ? Family::V6 : Family::V4;
  if (of != family || (rule.direction == "ingress") != ingress) return {};
  const std::string_view side = ingress ? "-s" : "-d";
  const std::string what = protocol_text(rule, family);
  const auto with_address = [&](const Prefix& prefix) {
    return prefix.length() == 0 ? fmt::format("{}-j RETURN", what)
                                : fmt::format("{} {} {}-j RETURN", side, to_string(prefix), what);
  };
  const bool remote = !rule.remote_group_id.empty() || !rule.remote_address_group_id.empty();
  if (!remote) return {rule.remote_ip ? with_address(*rule.remote_ip) : fmt::format("{}-j RETURN", what)};
  const std::vector<SetMember> all = members(rule, family);
  if (all.empty()) return {};
  if (sets_)
    return {fmt::format("{}-m set --match-set {} {} -j RETURN", what, set_of(rule, family),
                        ingress ? "src" : "dst")};
  std::vector<std::string> texts;
  for (const SetMember& member : all) texts.push_back(with_address(member.prefix));
  return texts;
}

std::string SecurityRules::set_of(const SecurityGroupRule& rule, Family family) const {
  const std::string& id = rule.remote_group_id.empty() ? rule.remote_address_group_id : rule.remote_group_id;
  if (id.empty() || !sets_) return {};
  return fmt::format("N{}{}", family == Family::V4 ? "IPv4" : "IPv6", id).substr(0, kSetName);
}

std::vector<SetMember> SecurityRules::members(const SecurityGroupRule& rule, Family family) const {
  std::vector<SetMember> members;
  std::set<Prefix> known;
  const auto add = [&](const Prefix& prefix, std::optional<std::size_t> port, bool sure) {
    if (prefix.ip().family != family) return;
    if (prefix.length() == 0) {  // a set of networks has no room for all addresses in one
      const Ip upper = family == Family::V4 ? ipv4(0x80000000) : ipv6(0x8000000000000000, 0);
      for (const Prefix& half : {Prefix(prefix.ip(), 1), Prefix(upper, 1)}) {
        if (known.insert(half).second) members.push_back({half, port, sure});
      }
    } else if (known.insert(prefix).second) {
      members.push_back({prefix, port, sure});
    }
  };
  if (const auto group = cloud_.find_address_group(rule.remote_address_group_id)) {
    for (const Prefix& prefix : cloud_.model().address_groups[*group].addresses)
      add(prefix, std::nullopt, true);
  }
  for (const std::size_t index : cloud_.members_of_group(rule.remote_group_id)) {
    const Port& port = cloud_.port(index);
    const bool sure = port.status == "ACTIVE";
    for (const FixedIp& fixed : port.fixed_ips) add(host_prefix(fixed.ip), index, sure);
    for (const AddressPair& pair : port.allowed_pairs) add(pair.ip, index, sure);
  }
  std::ranges::sort(members, {}, &SetMember::prefix);
  return members;
}

}  // namespace dvrtrace::reference
