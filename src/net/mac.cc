#include "src/net/mac.h"

#include <fmt/format.h>

namespace dvrtrace {

std::optional<Mac> parse_mac(std::string_view text) {
  std::uint64_t value = 0;
  std::size_t at = 0;
  for (int group = 0; group < 6; ++group) {
    if (group > 0) {
      if (at >= text.size() || text[at] != ':') return std::nullopt;
      ++at;
    }
    std::uint64_t octet = 0;
    int digits = 0;
    for (; at < text.size() && digits < 2; ++at, ++digits) {
      const char c = text[at];
      if (c >= '0' && c <= '9')
        octet = octet << 4 | static_cast<std::uint64_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        octet = octet << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        octet = octet << 4 | static_cast<std::uint64_t>(c - 'A' + 10);
      else
        break;
    }
    if (digits == 0) return std::nullopt;
    value = value << 8 | octet;
  }
  if (at != text.size()) return std::nullopt;
  return Mac{value};
}

std::string to_string(Mac mac) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(17, ':');
  for (int octet = 0; octet < 6; ++octet) {
    const auto value = mac.value >> (40 - 8 * octet);
    text[static_cast<std::size_t>(3 * octet)] = kDigits[value >> 4 & 15];
    text[static_cast<std::size_t>(3 * octet + 1)] = kDigits[value & 15];
  }
  return text;
}

}  // namespace dvrtrace
