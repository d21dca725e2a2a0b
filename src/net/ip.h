// Ip and Prefix: IPv4 and IPv6 addresses and networks as one type each.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dvrtrace {

enum class Family : std::uint8_t { V4, V6 };

// An address: 128 bits of which IPv4 uses the low 32. Ordered by family, then by number.
struct Ip {
  Family family = Family::V4;
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Ip&) const = default;

  bool v4() const { return family == Family::V4; }
  bool v6() const { return family == Family::V6; }
  std::uint32_t v4_value() const { return static_cast<std::uint32_t>(low); }
  bool zero() const { return high == 0 && low == 0; }
  bool multicast() const { return v4() ? low >> 28 == 0xe : high >> 56 == 0xff; }
  bool link_local() const { return v4() ? low >> 16 == 0xa9fe : high >> 54 == 0x3fa; }
  bool loopback() const { return v4() ? low >> 24 == 127 : high == 0 && low == 1; }
};

inline Ip ipv4(std::uint32_t value) { return {Family::V4, 0, value}; }
inline Ip ipv6(std::uint64_t high, std::uint64_t low) { return {Family::V6, high, low}; }

std::optional<Ip> parse_ip(std::string_view text);
std::string to_string(const Ip& ip);  // IPv6 by RFC 5952

// A network: host bits are always clear.
class Prefix {
 public:
  Prefix() = default;  // 0.0.0.0/0
  Prefix(Ip ip, unsigned length);  // a length beyond the address's bits is cut to them

  const Ip& ip() const { return ip_; }
  unsigned length() const { return length_; }
  bool contains(const Ip& ip) const;
  bool host() const { return length_ == (ip_.v4() ? 32u : 128u); }
  auto operator<=>(const Prefix&) const = default;

 private:
  Ip ip_;
  unsigned length_ = 0;
};

inline Prefix host_prefix(const Ip& ip) { return {ip, ip.v4() ? 32u : 128u}; }
inline Prefix everything(Family family) { return {Ip{family, 0, 0}, 0}; }

// "10.0.0.0/24", "10.0.0.0/255.255.255.0", or a lone address. Host bits are cleared.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string to_string(const Prefix& prefix);  // always with "/length"

// 255.255.255.254 as 31; none when the ones do not come first.
std::optional<unsigned> prefix_length_of(const Ip& netmask);

// The link-local address that a kernel makes of a MAC (RFC 4291, modified EUI-64).
Ip eui64_link_local(std::uint64_t mac);

}  // namespace dvrtrace

template <>
struct std::hash<dvrtrace::Ip> {
  std::size_t operator()(const dvrtrace::Ip& ip) const noexcept {
    return std::hash<std::uint64_t>{}(ip.high * 0x9e3779b97f4a7c15ULL ^ ip.low ^
                                      (ip.v6() ? 0x5bd1e995ULL << 32 : 0));
  }
};
