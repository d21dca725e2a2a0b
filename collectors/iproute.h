// What iproute2, net-tools and conntrack write alike: prefixes, MACs, protocols.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "src/net/ip.h"
#include "src/net/mac.h"

namespace dvrtrace {

// "10.0.0.0/8", "10.0.0.1", and the kernel's zero network "0/8", which takes the given family.
std::optional<Prefix> parse_iproute_prefix(std::string_view text, Family family);

// A MAC with all its digits: where a dump breaks off inside one, the rest is no MAC.
std::optional<Mac> parse_whole_mac(std::string_view text);

// "tcp", "ipv6-icmp", "ipproto-99", "6".
std::optional<std::uint8_t> parse_ip_protocol(std::string_view text);

}  // namespace dvrtrace
