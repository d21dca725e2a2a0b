#include "tracer/reference/plan_names.h"

#include <fmt/format.h>

#include "tracer/reference/sha1.h"

namespace dvrtrace::reference {

namespace {

constexpr std::size_t kMaxDevice = 15;  // IFNAMSIZ without the final zero

std::string base32(const std::array<std::uint8_t, 20>& bytes) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  unsigned held = 0, bits = 0;
  for (const std::uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += kDigits[held >> (bits - 5) & 31];
    held &= 0xff;
  }
  return text;
}

}  // namespace

std::string patch_name(std::string_view prefix, std::string_view bridge) {
  std::string name = fmt::format("{}{}", prefix, bridge);
  if (name.size() <= kMaxDevice) return name;
  constexpr std::size_t kHashDigits = 6;
  const auto hash = sha1(bridge);
  const std::size_t kept = kMaxDevice - prefix.size() - kHashDigits;
  return fmt::format("{}{}{:02x}{:02x}{:02x}", prefix, bridge.substr(0, kept), hash[0], hash[1], hash[2]);
}

std::string tunnel_name(std::string_view type, const Ip& remote, Release) {
  if (remote.v4()) return fmt::format("{}-{:08x}", type, remote.v4_value());
  return fmt::format("{}-{}", type, base32(sha1(to_string(remote)))).substr(0, kMaxDevice);
}

}  // namespace dvrtrace::reference
