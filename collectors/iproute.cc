#include "collectors/iproute.h"

#include <array>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

struct NamedProtocol {
  std::string_view name;
  std::uint8_t number;
};
constexpr std::array<NamedProtocol, 17> kProtocols{{
    {"icmp", 1},
    {"igmp", 2},
    {"ipip", 4},
    {"ipencap", 4},
    {"tcp", 6},
    {"udp", 17},
    {"dccp", 33},
    {"ipv6", 41},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"icmpv6", 58},
    {"ospf", 89},
    {"ipv6-icmp", 58},
    {"pim", 103},
    {"sctp", 132},
    {"udplite", 136},
}};

}  // namespace

std::optional<Prefix> parse_iproute_prefix(std::string_view text, Family family) {
  std::string_view length = text;
  if (!consume(length, "0/")) return parse_prefix(text);
  const auto bits = number<unsigned>(length);
  if (!bits || *bits > (family == Family::V4 ? 32u : 128u)) return std::nullopt;
  return Prefix(Ip{family, 0, 0}, *bits);
}

std::optional<Mac> parse_whole_mac(std::string_view text) {
  constexpr std::size_t kWhole = 17;
  return text.size() == kWhole ? parse_mac(text) : std::nullopt;
}

std::optional<std::uint8_t> parse_ip_protocol(std::string_view text) {
  for (const NamedProtocol& protocol : kProtocols) {
    if (protocol.name == text) return protocol.number;
  }
  consume(text, "ipproto-");
  return number<std::uint8_t>(text);
}

}  // namespace dvrtrace
