#include "tracer/reach/line_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "src/base/text.h"

namespace dvrtrace::reach {
namespace {

constexpr std::size_t kDeviceId = 11;  // characters of a port's UUID in the names of devices
constexpr std::size_t kChainId = 10;   // ... and in those of iptables chains
constexpr std::size_t kMacLength = 17;

constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_word(char c) { return is_digit(c) || is_alpha(c) || c == '_' || c == '-' || c == '.'; }

bool looks_like_mac(std::string_view text) {
  if (text.size() < kMacLength ||
      (text.size() > kMacLength && (is_hex(text[kMacLength]) || text[kMacLength] == ':')))
    return false;
  for (std::size_t i = 0; i < kMacLength; ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i])) return false;
  }
  return true;
}

// The length of what could be an IPv6 address; 0: none begins here.
std::size_t ipv6_length(std::string_view text) {
  std::size_t end = 0, colons = 0;
  while (end < text.size() && (is_hex(text[end]) || text[end] == ':')) colons += text[end++] == ':' ? 1 : 0;
  while (end > 0 && text[end - 1] == ':' && !text.substr(0, end).ends_with("::")) --end;
  return colons >= 2 ? end : 0;
}

bool ends_with_any(std::string_view text, std::span<const std::string_view> ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return text.ends_with(end); });
}
bool begins_with_any(std::string_view text, std::span<const std::string_view> beginnings) {
  return std::ranges::any_of(beginnings,
                             [&](std::string_view beginning) { return text.starts_with(beginning); });
}

// Where a flow's number is a port's: register 5 holds it in Neutron's firewall.
bool is_port_number(std::string_view before, std::string_view after) {
  static constexpr std::array<std::string_view, 4> kBefore = {"in_port=", "output:", "reg5=", "in_port:"};
  static constexpr std::array<std::string_view, 2> kAfter = {"->reg5", "->NXM_NX_REG5[]"};
  return ends_with_any(before, kBefore) || begins_with_any(after, kAfter);
}

}  // namespace

LineNames::LineNames(const Ports& ports) {
  for (std::size_t i = 0; i < ports.all().size(); ++i) {
    const CloudPort& port = ports.at(i);
    if (!port.vm) continue;
    macs_[port.mac].push_back({'m', 0, i});
    add(eui64_link_local(port.mac.value), {'l', 0, i});
    std::uint8_t nth = 0;
    for (const auto* addresses : {&port.ips, &port.others}) {
      for (const Ip& ip : *addresses) add(ip, {'a', nth++, i});
    }
    if (!port.device.empty()) add(port.device, {'i', 0, i});
    if (port.id.size() < kDeviceId) continue;
    add(port.id, {'i', 1, i});
    add(port.id.substr(0, kDeviceId), {'i', 2, i});
    add(port.id.substr(0, kChainId), {'i', 3, i});
    std::uint8_t which = 4;  // the devices of one port are told apart
    for (const std::string_view prefix : {"tap", "qvo", "qvb", "qbr", "vhu"}) {
      const std::string device = std::string(prefix) + port.id.substr(0, kDeviceId);
      if (device != port.device) add(device, {'i', which, i});
      ++which;
    }
  }
  for (const FloatingAddress& floating : ports.floating()) {
    const std::size_t port = floating.port_id.empty() ? kNowhere : ports.find(floating.port_id);
    if (port != kNowhere && ports.at(port).vm) add(floating.ip, {'f', 0, port});
  }
}

void LineNames::plug(std::size_t host, std::string_view bridge, Ofport number, std::size_t port) {
  numbers_[fmt::format("{} {} {}", host, bridge, number.value)].push_back({'p', 0, port});
}

void LineNames::find(std::string_view line, std::size_t host, std::string_view bridge,
                     std::vector<Mention>& mentions, std::set<Prefix>& prefixes) const {
  const auto mention = [&](const auto& table, const auto& key, std::size_t begin, std::size_t end) {
    const auto known = table.find(key);
    if (known == table.end()) return;
    for (const Known& one : known->second) mentions.push_back({begin, end, one.kind, one.nth, one.port});
  };
  const auto address = [&](const Ip& ip, std::size_t begin, std::size_t end) {
    unsigned length = 0;
    std::size_t digits = end + 1;
    if (end < line.size() && line[end] == '/') {
      while (digits < line.size() && is_digit(line[digits]) && length <= 128)
        length = length * 10 + static_cast<unsigned>(line[digits++] - '0');
      if (digits == end + 1 || length != (ip.v4() ? 32U : 128U)) {
        // A netmask may be written as one.
        const auto prefix = parse_prefix(line.substr(begin, line.find_first_of(" ,)\"", begin) - begin));
        prefixes.insert(prefix.value_or(Prefix(ip, length)));
        return;
      }
    }
    mention(addresses_, ip, begin, end);
  };
  const auto port_number = [&](std::uint64_t value, std::size_t begin, std::size_t end) {
    if (bridge.empty() || !is_port_number(line.substr(0, begin), line.substr(end))) return false;
    mention(numbers_, fmt::format("{} {} {}", host, bridge, value), begin, end);
    return true;
  };

  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    // A colon begins an IPv6 address where there are two of them; "mod_dl_src:fa:16:..." has one before a MAC.
    if (!is_digit(c) && !is_alpha(c) && !line.substr(at).starts_with("::")) {
      ++at;
      continue;
    }
    const std::string_view rest = line.substr(at);
    if (is_hex(c) && looks_like_mac(rest)) {
      if (const auto mac = parse_mac(rest.substr(0, kMacLength))) mention(macs_, *mac, at, at + kMacLength);
      at += kMacLength;
      continue;
    }
    if (rest.starts_with("0x")) {
      std::size_t end = 2;
      while (end < rest.size() && is_hex(rest[end])) ++end;
      if (const auto value = hex_number(rest.substr(2, end - 2))) {
        if (!port_number(*value, at, at + end)) {
          if (*value <= 0xffffffff)
            mention(addresses_, ipv4(static_cast<std::uint32_t>(*value)), at, at + end);
          else
            mention(macs_, Mac{*value}, at, at + end);
        }
      }
      at += end;
      continue;
    }
    if (const std::size_t length = ipv6_length(rest); length != 0) {
      if (const auto ip = parse_ip(rest.substr(0, length))) address(*ip, at, at + length);
      at += length;
      continue;
    }
    std::size_t end = c == ':' ? 2 : 0;
    while (end < rest.size() && is_word(rest[end])) ++end;
    const std::string_view word = rest.substr(0, end);
    if (is_digit(c)) {
      if (const auto ip = word.find('.') == std::string_view::npos ? std::nullopt : parse_ip(word))
        address(*ip, at, at + end);
      else if (const auto value = number(word))
        port_number(*value, at, at + end);
      else
        mention(texts_, std::string(word), at, at + end);  // a UUID
    } else if (word.size() >= kChainId) {
      const std::string text(word);
      if (texts_.contains(text))
        mention(texts_, text, at, at + end);
      else
        mention(texts_, text.substr(text.size() - kChainId), at + end - kChainId, at + end);  // a chain's
    }
    at += end;
  }
}

}  // namespace dvrtrace::reach
