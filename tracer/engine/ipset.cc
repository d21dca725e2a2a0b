#include "tracer/engine/ipset.h"

#include <algorithm>
#include <string_view>

#include "src/base/text.h"

namespace dvrtrace {

using kernel::Ipset;
using openflow::FieldId;

namespace {

constexpr int kMaxDepth = 8;  // of lists in lists

std::optional<std::uint8_t> protocol_named(std::string_view name) {
  struct Named {
    std::string_view name;
    std::uint8_t number;
  };
  static constexpr Named kNames[] = {
      {"tcp", openflow::kProtoTcp},       {"udp", openflow::kProtoUdp},
      {"sctp", openflow::kProtoSctp},     {"icmp", openflow::kProtoIcmp},
      {"icmpv6", openflow::kProtoIcmpv6}, {"ipv6-icmp", openflow::kProtoIcmpv6}};
  for (const Named& known : kNames) {
    if (known.name == name) return known.number;
  }
  return number<std::uint8_t>(name);
}

// "80", "tcp:80", "udp:53-60"; `protocol`: none for a set of ports alone.
std::optional<bool> has_port(std::string_view member, const Packet& packet, bool source) {
  if (const std::size_t colon = member.find(':'); colon != std::string_view::npos) {
    const auto protocol = protocol_named(member.substr(0, colon));
    if (!protocol) return std::nullopt;
    if (*protocol != packet.protocol()) return false;
    member.remove_prefix(colon + 1);
  }
  const bool has_ports = packet.protocol() == openflow::kProtoTcp ||
                         packet.protocol() == openflow::kProtoUdp ||
                         packet.protocol() == openflow::kProtoSctp;
  const std::size_t dash = member.find('-');
  const auto first = number<std::uint16_t>(member.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number<std::uint16_t>(member.substr(dash + 1));
  if (!first || !last) return std::nullopt;
  if (!has_ports) return *first == 0;
  const std::uint64_t port = packet.get(source ? FieldId::TcpSrc : FieldId::TcpDst);
  return port >= *first && port <= *last;
}

std::optional<bool> fits(std::string_view dimension, std::string_view member, const Packet& packet,
                         bool source) {
  if (dimension == "ip" || dimension == "net") {
    const auto prefix = parse_prefix(member);
    if (!prefix) return std::nullopt;
    return prefix->contains(source ? packet.ip_src() : packet.ip_dst());
  }
  if (dimension == "port") return has_port(member, packet, source);
  if (dimension == "mac") {
    const auto mac = parse_mac(member);
    if (!mac) return std::nullopt;
    return *mac == (source ? packet.eth_src() : packet.eth_dst());
  }
  return std::nullopt;
}

// One member of a set with several dimensions. A part that is not understood decides nothing where another fails.
std::optional<bool> fits(const std::vector<std::string_view>& dimensions, std::string_view member,
                         const std::vector<bool>& source, const Packet& packet) {
  const std::vector<std::string_view> parts = split(take_until(member, ' '), ',');
  if (parts.size() != dimensions.size()) return std::nullopt;
  bool understood = true;
  for (std::size_t d = 0; d < parts.size(); ++d) {
    const auto one = fits(dimensions[d], parts[d], packet, source[d]);
    if (one && !*one) return false;
    understood = understood && one.has_value();
  }
  if (!understood) return std::nullopt;
  return true;
}

std::optional<bool> holds(const std::vector<Ipset>& sets, const Ipset& set, const std::vector<bool>& source,
                          const Packet& packet, int depth) {
  std::string_view type = set.type;
  const std::string_view method = take_until(type, ':');
  if (source.empty() || depth > kMaxDepth) return std::nullopt;
  const bool wrong_family = method == "hash" && packet.ip() &&
                            (set.family == Family::V6) != (packet.eth_type() == openflow::kTypeIpv6);
  if (wrong_family) return false;
  const auto among = [&](const std::vector<Sourced<Prefix>>& prefixes) {
    const Ip ip = source.front() ? packet.ip_src() : packet.ip_dst();
    return std::ranges::any_of(prefixes,
                               [&](const Sourced<Prefix>& prefix) { return prefix.value.contains(ip); });
  };
  if (among(set.exceptions)) return false;
  if (among(set.prefixes)) return true;
  const std::vector<std::string_view> dimensions = split(type, ',');
  bool understood = true;
  for (const std::string& member : set.others) {
    std::optional<bool> one;
    if (method == "list") {
      const auto inner = std::ranges::find(sets, member, &Ipset::name);
      if (inner != sets.end()) one = holds(sets, *inner, source, packet, depth + 1);
    } else if (dimensions.size() <= source.size() && member.find("nomatch") == std::string::npos) {
      one = fits(dimensions, member, source, packet);
    }
    if (one && *one) return true;
    understood = understood && one.has_value();
  }
  if (!understood) return std::nullopt;
  return false;
}

}  // namespace

std::optional<bool> holds(const std::vector<Ipset>& sets, const Ipset& set, const std::vector<bool>& source,
                          const Packet& packet) {
  return holds(sets, set, source, packet, 0);
}

}  // namespace dvrtrace
