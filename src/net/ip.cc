#include "src/net/ip.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "src/base/text.h"

namespace dvrtrace {
namespace {

std::optional<Ip> parse_v4(std::string_view text) {
  std::uint32_t value = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && !consume(text, ".")) return std::nullopt;
    unsigned part = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && digits < 4 && is_digit(text[digits]); ++digits) {
      part = part * 10 + static_cast<unsigned>(text[digits] - '0');
    }
    if (digits == 0 || part > 255) return std::nullopt;
    value = value << 8 | part;
    text.remove_prefix(digits);
  }
  if (!text.empty()) return std::nullopt;
  return ipv4(value);
}

std::uint64_t mask_of(unsigned ones) {
  return ones == 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(ones, 64u));
}

}  // namespace

std::optional<Ip> parse_ip(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  std::copy(text.begin(), text.end(), terminated.begin());
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  std::uint64_t high = 0, low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | bytes[i];
    low = low << 8 | bytes[i + 8];
  }
  return ipv6(high, low);
}

std::string to_string(const Ip& ip) {
  if (ip.v4()) {
    std::array<char, 16> text{};
    char* at = text.data();
    for (int shift = 24; shift >= 0; shift -= 8) {
      if (shift != 24) *at++ = '.';
      at = std::to_chars(at, text.data() + text.size(), ip.low >> shift & 0xff).ptr;
    }
    return {text.data(), at};
  }
  std::array<unsigned char, 16> bytes{};
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(ip.high >> (56 - 8 * i) & 0xff);
    bytes[i + 8] = static_cast<unsigned char>(ip.low >> (56 - 8 * i) & 0xff);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

Prefix::Prefix(Ip ip, unsigned length) : ip_(ip), length_(std::min(length, ip.v4() ? 32u : 128u)) {
  if (ip_.v4()) {
    ip_.low &= mask_of(length_ + 32) & 0xffffffff;
  } else if (length_ <= 64) {
    ip_.high &= mask_of(length_);
    ip_.low = 0;
  } else {
    ip_.low &= mask_of(length_ - 64);
  }
}

bool Prefix::contains(const Ip& ip) const {
  return ip.family == ip_.family && Prefix(ip, length_).ip_ == ip_;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Ip> ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  if (slash == std::string_view::npos) return host_prefix(*ip);
  const std::string_view mask = text.substr(slash + 1);
  if (const auto length = number<unsigned>(mask)) {
    if (*length > (ip->v4() ? 32u : 128u)) return std::nullopt;
    return Prefix(*ip, *length);
  }
  const std::optional<Ip> netmask = parse_ip(mask);
  if (!netmask || netmask->family != ip->family) return std::nullopt;
  const auto length = prefix_length_of(*netmask);
  if (!length) return std::nullopt;
  return Prefix(*ip, *length);
}

std::string to_string(const Prefix& prefix) {
  return fmt::format("{}/{}", to_string(prefix.ip()), prefix.length());
}

std::optional<unsigned> prefix_length_of(const Ip& netmask) {
  const auto ones = static_cast<unsigned>(std::popcount(netmask.high) + std::popcount(netmask.low));
  const Ip all{netmask.family, netmask.v4() ? 0 : ~std::uint64_t{0},
               netmask.v4() ? 0xffffffff : ~std::uint64_t{0}};
  if (Prefix(all, ones).ip() != netmask) return std::nullopt;
  return ones;
}

Ip eui64_link_local(std::uint64_t mac) {
  const std::uint64_t id = (mac >> 24 << 40) | (std::uint64_t{0xfffe} << 24) | (mac & 0xffffff);
  return ipv6(0xfe80000000000000, id ^ (std::uint64_t{2} << 56));
}

}  // namespace dvrtrace
