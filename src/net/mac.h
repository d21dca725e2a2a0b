// Mac: a 48-bit Ethernet address.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dvrtrace {

struct Mac {
  std::uint64_t value = 0;  // 48 bits, the first octet the most significant
  auto operator<=>(const Mac&) const = default;

  bool multicast() const { return (value >> 40 & 1) != 0; }
  bool broadcast() const { return value == 0xffffffffffff; }
  bool zero() const { return value == 0; }
};

inline constexpr Mac kBroadcastMac{0xffffffffffff};

// "fa:16:3e:00:00:01": six groups of one or two hexadecimal digits, either case.
std::optional<Mac> parse_mac(std::string_view text);
std::string to_string(Mac mac);  // lower case

}  // namespace dvrtrace

template <>
struct std::hash<dvrtrace::Mac> {
  std::size_t operator()(dvrtrace::Mac mac) const noexcept {
    return std::hash<std::uint64_t>{}(mac.value);
  }
};
