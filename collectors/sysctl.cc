#include "collectors/sysctl.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "collectors/words.h"
#include "src/base/text.h"

namespace dvrtrace {
namespace {

constexpr std::string_view kHint = "the settings are incomplete: what depends on this one ends unknown";

// A key that could not be read is as good as one that was not asked for.
bool is_complaint(std::string_view line) {
  if (!consume(line, "sysctl: ")) return false;
  return line.starts_with("permission denied on key") || line.starts_with("reading key") ||
         line.starts_with("unable to open directory");
}

struct Setting {
  std::string_view key, value;
  std::string_view part;  // the last of the key: of a device's key what counts
};

// "net.ipv4.ip_forward = 1", "net.ipv4.ip_forward=1"
std::optional<Setting> read_setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Setting setting{trim(line.substr(0, equals)), trim(line.substr(equals + 1)), {}};
  const auto has = [&](char c) { return setting.key.find(c) != std::string_view::npos; };
  if (has(' ') || has('\t') || has('\r')) return std::nullopt;
  std::size_t part = setting.key.size();
  while (part > 0 && setting.key[part - 1] != '.' && setting.key[part - 1] != '/') --part;
  if (part == 0) return std::nullopt;
  setting.part = setting.key.substr(part);
  return setting;
}

// A value may be empty, but not where the text breaks off.
bool breaks_off(const SourceText& text, Span line, const Setting& setting) {
  return setting.value.empty() && line.end == text.bytes.size();
}

// The settings that decide where packets go; a host has a thousand others.
bool bears_on_forwarding(std::string_view part) {
  static constexpr std::array<std::string_view, 30> kParts = {"accept_local",
                                                              "accept_ra",
                                                              "accept_redirects",
                                                              "addr_gen_mode",
                                                              "arp_announce",
                                                              "arp_filter",
                                                              "arp_ignore",
                                                              "bridge-nf-call-arptables",
                                                              "bridge-nf-call-ip6tables",
                                                              "bridge-nf-call-iptables",
                                                              "bridge-nf-filter-vlan-tagged",
                                                              "disable_ipv6",
                                                              "fib_multipath_hash_policy",
                                                              "forwarding",
                                                              "ignore_routes_with_linkdown",
                                                              "ip_default_ttl",
                                                              "ip_forward",
                                                              "ip_nonlocal_bind",
                                                              "mtu",
                                                              "nf_conntrack_tcp_be_liberal",
                                                              "nf_conntrack_tcp_loose",
                                                              "promote_secondaries",
                                                              "proxy_arp",
                                                              "proxy_arp_pvlan",
                                                              "proxy_delay",
                                                              "proxy_ndp",
                                                              "route_localnet",
                                                              "rp_filter",
                                                              "send_redirects",
                                                              "src_valid_mark"};
  // Most keys are told by how long their last part is and what it begins with.
  static constexpr auto kBeginnings = [] {
    std::array<std::uint32_t, 32> beginnings{};
    for (const std::string_view part : kParts) beginnings[part.size()] |= 1U << (part[0] & 31);
    return beginnings;
  }();
  if (part.empty() || part.size() >= kBeginnings.size()) return false;
  if ((kBeginnings[part.size()] >> (part[0] & 31) & 1) == 0) return false;
  return std::ranges::binary_search(kParts, part);
}

LineState read_line(const SourceText& text, Span line, kernel::Sysctls& sysctls, ReadLog& log) {
  const std::string_view bytes = text.at(line);
  const auto setting = read_setting(bytes);
  if ((!setting && trim(bytes).empty()) || is_complaint(bytes)) return LineState::Ignored;
  if (!setting || breaks_off(text, line, *setting))
    return report_fault(text, line, "'key = value'", kHint, log);
  if (!bears_on_forwarding(setting->part)) return LineState::Ignored;
  // sysctl sorts its keys.
  sysctls.insert_or_assign(sysctls.end(), std::string(setting->key),
                           Sourced<std::string>{std::string(setting->value), text.provenance(line)});
  return LineState::Modelled;
}

}  // namespace

kernel::Sysctls read_sysctl(const SourceText& text, ReadLog& log) {
  kernel::Sysctls sysctls;
  for (const Span line : lines_of(text.bytes)) log.lines.count(read_line(text, line, sysctls, log));
  return sysctls;
}

}  // namespace dvrtrace
