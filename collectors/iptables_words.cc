#include "collectors/iptables_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/base/text.h"

namespace dvrtrace::iptables {
namespace {

struct Name {
  std::string_view name;
  std::uint16_t number;
};

template <std::size_t N>
std::optional<std::uint16_t> find_name(const std::array<Name, N>& names, std::string_view word) {
  const auto found = std::ranges::find(names, word, &Name::name);
  if (found == names.end()) return std::nullopt;
  return found->number;
}

constexpr std::array kProtocols = std::to_array<Name>({
    {"all", 0},       {"icmp", 1},        {"igmp", 2},  {"ipencap", 4},    {"tcp", 6},
    {"udp", 17},      {"dccp", 33},       {"ipv6", 41}, {"rsvp", 46},      {"gre", 47},
    {"esp", 50},      {"ipv6-crypt", 50}, {"ah", 51},   {"ipv6-auth", 51}, {"ipv6-icmp", 58},
    {"icmpv6", 58},   {"ospf", 89},       {"ipip", 94}, {"pim", 103},      {"vrrp", 112},
    {"l2tp", 115},    {"sctp", 132},      {"mh", 135},  {"ipv6-mh", 135},  {"mobility-header", 135},
    {"udplite", 136}, {"any", 0},
});

// What a listing without -n, or a rule written by hand, calls the ports met in a cloud.
constexpr std::array kServices = std::to_array<Name>({
    {"ftp", 21},
    {"ssh", 22},
    {"telnet", 23},
    {"smtp", 25},
    {"domain", 53},
    {"bootps", 67},
    {"bootpc", 68},
    {"tftp", 69},
    {"http", 80},
    {"www", 80},
    {"sunrpc", 111},
    {"ntp", 123},
    {"snmp", 161},
    {"bgp", 179},
    {"ldap", 389},
    {"https", 443},
    {"syslog", 514},
    {"dhcpv6-client", 546},
    {"dhcpv6-server", 547},
    {"rsync", 873},
    {"nfs", 2049},
    {"mysql", 3306},
    {"ms-wbt-server", 3389},
    {"postgresql", 5432},
    {"amqp", 5672},
    {"vnc", 5900},
    {"http-alt", 8080},
});

constexpr std::array kCtStates = std::to_array<Name>({
    {"INVALID", kernel::kCtInvalid},
    {"NEW", kernel::kCtNew},
    {"ESTABLISHED", kernel::kCtEstablished},
    {"RELATED", kernel::kCtRelated},
    {"UNTRACKED", kernel::kCtUntracked},
    {"SNAT", kernel::kCtSnat},
    {"DNAT", kernel::kCtDnat},
});

constexpr std::array kTcpFlags = std::to_array<Name>({
    {"FIN", 1},
    {"SYN", 2},
    {"RST", 4},
    {"PSH", 8},
    {"ACK", 16},
    {"URG", 32},
    {"ALL", 63},
    {"NONE", 0},
});

struct IcmpName {
  std::string_view name;
  std::uint8_t type, code_first, code_last;
};

constexpr std::array kIcmpNames = std::to_array<IcmpName>({
    {"echo-reply", 0, 0, 255},
    {"pong", 0, 0, 255},
    {"destination-unreachable", 3, 0, 255},
    {"network-unreachable", 3, 0, 0},
    {"host-unreachable", 3, 1, 1},
    {"protocol-unreachable", 3, 2, 2},
    {"port-unreachable", 3, 3, 3},
    {"fragmentation-needed", 3, 4, 4},
    {"source-route-failed", 3, 5, 5},
    {"network-unknown", 3, 6, 6},
    {"host-unknown", 3, 7, 7},
    {"network-prohibited", 3, 9, 9},
    {"host-prohibited", 3, 10, 10},
    {"TOS-network-unreachable", 3, 11, 11},
    {"TOS-host-unreachable", 3, 12, 12},
    {"communication-prohibited", 3, 13, 13},
    {"host-precedence-violation", 3, 14, 14},
    {"precedence-cutoff", 3, 15, 15},
    {"source-quench", 4, 0, 255},
    {"redirect", 5, 0, 255},
    {"network-redirect", 5, 0, 0},
    {"host-redirect", 5, 1, 1},
    {"TOS-network-redirect", 5, 2, 2},
    {"TOS-host-redirect", 5, 3, 3},
    {"echo-request", 8, 0, 255},
    {"ping", 8, 0, 255},
    {"router-advertisement", 9, 0, 255},
    {"router-solicitation", 10, 0, 255},
    {"time-exceeded", 11, 0, 255},
    {"ttl-exceeded", 11, 0, 255},
    {"ttl-zero-during-transit", 11, 0, 0},
    {"ttl-zero-during-reassembly", 11, 1, 1},
    {"parameter-problem", 12, 0, 255},
    {"ip-header-bad", 12, 0, 0},
    {"required-option-missing", 12, 1, 1},
    {"timestamp-request", 13, 0, 255},
    {"timestamp-reply", 14, 0, 255},
    {"address-mask-request", 17, 0, 255},
    {"address-mask-reply", 18, 0, 255},
});

constexpr std::array kIcmpv6Names = std::to_array<IcmpName>({
    {"destination-unreachable", 1, 0, 255},
    {"no-route", 1, 0, 0},
    {"communication-prohibited", 1, 1, 1},
    {"beyond-scope", 1, 2, 2},
    {"address-unreachable", 1, 3, 3},
    {"port-unreachable", 1, 4, 4},
    {"failed-policy", 1, 5, 5},
    {"reject-route", 1, 6, 6},
    {"packet-too-big", 2, 0, 255},
    {"time-exceeded", 3, 0, 255},
    {"ttl-exceeded", 3, 0, 255},
    {"ttl-zero-during-transit", 3, 0, 0},
    {"ttl-zero-during-reassembly", 3, 1, 1},
    {"parameter-problem", 4, 0, 255},
    {"bad-header", 4, 0, 0},
    {"unknown-header-type", 4, 1, 1},
    {"unknown-option", 4, 2, 2},
    {"echo-request", 128, 0, 255},
    {"ping", 128, 0, 255},
    {"echo-reply", 129, 0, 255},
    {"pong", 129, 0, 255},
    {"mld-listener-query", 130, 0, 255},
    {"mld-listener-report", 131, 0, 255},
    {"mld-listener-done", 132, 0, 255},
    {"mld-listener-reduction", 132, 0, 255},
    {"router-solicitation", 133, 0, 255},
    {"router-advertisement", 134, 0, 255},
    {"neighbour-solicitation", 135, 0, 255},
    {"neighbor-solicitation", 135, 0, 255},
    {"neighbour-advertisement", 136, 0, 255},
    {"neighbor-advertisement", 136, 0, 255},
    {"redirect", 137, 0, 255},
});

template <std::size_t N>
std::optional<kernel::IcmpMatch> find_icmp(const std::array<IcmpName, N>& names, std::string_view word) {
  const auto found = std::ranges::find(names, word, &IcmpName::name);
  if (found == names.end()) return std::nullopt;
  return kernel::IcmpMatch{
      .type = found->type, .code_first = found->code_first, .code_last = found->code_last};
}

struct KindName {
  std::string_view name;
  TargetKind kind;
};

constexpr std::array kTargets = std::to_array<KindName>({
    {"ACCEPT", TargetKind::Verdict},       {"DROP", TargetKind::Verdict},
    {"RETURN", TargetKind::Verdict},       {"REJECT", TargetKind::Modelled},
    {"DNAT", TargetKind::Modelled},        {"SNAT", TargetKind::Modelled},
    {"REDIRECT", TargetKind::Modelled},    {"MASQUERADE", TargetKind::Modelled},
    {"NETMAP", TargetKind::Modelled},      {"MARK", TargetKind::Modelled},
    {"CONNMARK", TargetKind::Modelled},    {"CT", TargetKind::Modelled},
    {"NOTRACK", TargetKind::Modelled},     {"LOG", TargetKind::Harmless},
    {"NFLOG", TargetKind::Harmless},       {"ULOG", TargetKind::Harmless},
    {"CHECKSUM", TargetKind::Harmless},    {"TCPMSS", TargetKind::Harmless},
    {"TRACE", TargetKind::Harmless},       {"CLASSIFY", TargetKind::Harmless},
    {"DSCP", TargetKind::Harmless},        {"TOS", TargetKind::Harmless},
    {"SET", TargetKind::Harmless},         {"AUDIT", TargetKind::Harmless},
    {"SECMARK", TargetKind::Harmless},     {"CONNSECMARK", TargetKind::Harmless},
    {"IDLETIMER", TargetKind::Harmless},   {"LED", TargetKind::Harmless},
    {"RATEEST", TargetKind::Harmless},     {"ECN", TargetKind::Harmless},
    {"TCPOPTSTRIP", TargetKind::Harmless}, {"TEE", TargetKind::Harmless},
    {"TPROXY", TargetKind::Unmodelled},    {"QUEUE", TargetKind::Unmodelled},
    {"NFQUEUE", TargetKind::Unmodelled},   {"TTL", TargetKind::Unmodelled},
    {"HL", TargetKind::Unmodelled},        {"HMARK", TargetKind::Unmodelled},
    {"CLUSTERIP", TargetKind::Unmodelled}, {"SYNPROXY", TargetKind::Unmodelled},
    {"TARPIT", TargetKind::Unmodelled},    {"MIRROR", TargetKind::Unmodelled},
    {"SAME", TargetKind::Unmodelled},      {"ROUTE", TargetKind::Unmodelled},
    {"DNPT", TargetKind::Unmodelled},      {"SNPT", TargetKind::Unmodelled},
    {"RAWDNAT", TargetKind::Unmodelled},   {"RAWSNAT", TargetKind::Unmodelled},
});

// The address part of a NAT target: "a" or "a-b", IPv6 in brackets when ports follow.
bool read_nat_addresses(std::string_view word, kernel::NatTo& nat) {
  if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
  const auto range = ip_range(word);
  if (!range) return false;
  nat.first = range->first;
  nat.last = range->last;
  return true;
}

// Where the ports of a NAT target begin (at the ':'), or npos.
std::size_t nat_port_colon(std::string_view word) {
  if (word.starts_with('[')) {
    const std::size_t bracket = word.rfind(']');
    if (bracket == std::string_view::npos) return bracket;
    return word.find(':', bracket);
  }
  const std::size_t colon = word.find(':');
  const bool ipv6 = colon != std::string_view::npos && word.find(':', colon + 1) != std::string_view::npos;
  return ipv6 ? std::string_view::npos : colon;
}

bool read_port_base(std::string_view& ports, kernel::NatTo& nat) {
  const std::size_t slash = ports.find('/');
  if (slash == std::string_view::npos) return true;
  nat.port_base = port_number(ports.substr(slash + 1));
  ports = ports.substr(0, slash);
  return nat.port_base.has_value();
}

constexpr std::string_view kIncompatible = "is incompatible, use 'nft' tool";

void mark_incomplete(kernel::Iptables& result, std::string_view name) {
  const auto table = std::ranges::find(result.tables, name, &kernel::IptablesTable::name);
  if (table == result.tables.end()) {
    result.tables.push_back({std::string(name), {}, false});
  } else {
    table->complete = false;
  }
}

}  // namespace

Span span_of(const SourceText& text, std::string_view word) {
  const auto begin = static_cast<std::uint32_t>(word.data() - text.bytes.data());
  return {begin, begin + static_cast<std::uint32_t>(word.size())};
}

void report(const SourceText& text, Span line, const Fault& fault, std::string hint, ReadLog& log) {
  // What is missing at the end of a line has no word of its own: point behind the line.
  const Span at = fault.word.empty() ? Span{line.end, line.end} : span_of(text, fault.word);
  const std::string found =
      fault.word.empty() ? "the end of the line" : fmt::format("'{}'", printable(fault.word.substr(0, 80)));
  log.diagnostics.error(text.provenance(at), fmt::format("expected {}, found {}", fault.expected, found),
                        std::move(hint));
}

std::optional<std::uint8_t> protocol_number(std::string_view word) {
  if (const auto value = number<std::uint8_t>(word)) return value;
  const auto named = find_name(kProtocols, to_lower(word));
  if (!named) return std::nullopt;
  return static_cast<std::uint8_t>(*named);
}

std::optional<std::uint16_t> port_number(std::string_view word) {
  if (const auto value = number<std::uint16_t>(word)) return value;
  return find_name(kServices, word);
}

std::optional<kernel::PortRange> port_range(std::string_view word, char separator) {
  const std::size_t at = word.find(separator);
  if (at == std::string_view::npos) {
    const auto port = port_number(word);
    if (!port) return std::nullopt;
    return kernel::PortRange{*port, *port};
  }
  kernel::PortRange range;
  const std::string_view first = word.substr(0, at), last = word.substr(at + 1);
  if (first.empty() && last.empty()) return std::nullopt;
  const auto low = first.empty() ? range.first : port_number(first);
  const auto high = last.empty() ? range.last : port_number(last);
  if (!low || !high || *low > *high) return std::nullopt;
  return kernel::PortRange{*low, *high};
}

std::optional<std::vector<kernel::PortRange>> port_list(std::string_view word) {
  std::vector<kernel::PortRange> ports;
  for (const std::string_view part : split(word, ',')) {
    const auto range = port_range(part, ':');
    if (!range) return std::nullopt;
    ports.push_back(*range);
  }
  return ports;
}

std::optional<std::uint16_t> ct_states(std::string_view word) {
  std::uint16_t states = 0;
  for (const std::string_view part : split(word, ',')) {
    const auto state = find_name(kCtStates, part);
    if (!state) return std::nullopt;
    states = static_cast<std::uint16_t>(states | *state);
  }
  return states;
}

std::optional<std::uint8_t> tcp_flags(std::string_view word) {
  if (const auto value = number<std::uint8_t>(word)) return value;
  std::uint8_t flags = 0;
  for (const std::string_view part : split(word, ',')) {
    const auto flag = find_name(kTcpFlags, part);
    if (!flag) return std::nullopt;
    flags = static_cast<std::uint8_t>(flags | *flag);
  }
  return flags;
}

std::optional<kernel::IcmpMatch> icmp_type(std::string_view word, Family family) {
  // The kernel takes type 255 without a code as "any", and only for IPv4.
  if (family == Family::V4 && (word == "any" || word == "255")) return kernel::IcmpMatch{.any = true};
  const std::size_t slash = word.find('/');
  if (const auto type = number<std::uint8_t>(word.substr(0, slash))) {
    if (slash == std::string_view::npos) return kernel::IcmpMatch{.type = *type};
    const auto code = number<std::uint8_t>(word.substr(slash + 1));
    if (!code) return std::nullopt;
    return kernel::IcmpMatch{.type = *type, .code_first = *code, .code_last = *code};
  }
  return family == Family::V4 ? find_icmp(kIcmpNames, word) : find_icmp(kIcmpv6Names, word);
}

std::optional<kernel::RangeMatch> ip_range(std::string_view word) {
  const std::size_t dash = word.find('-');
  const auto first = parse_ip(word.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_ip(word.substr(dash + 1));
  if (!first || !last || first->family != last->family || *last < *first) return std::nullopt;
  return kernel::RangeMatch{.first = *first, .last = *last};
}

std::optional<std::vector<bool>> set_dimensions(std::string_view word) {
  std::vector<bool> source;
  for (const std::string_view part : split(word, ',')) {
    if (part != "src" && part != "dst") return std::nullopt;
    source.push_back(part == "src");
  }
  return source;
}

std::optional<MaskedValue> masked_value(std::string_view word) {
  const std::size_t slash = word.find('/');
  const auto value = number<std::uint32_t>(word.substr(0, slash));
  if (!value) return std::nullopt;
  if (slash == std::string_view::npos) return MaskedValue{.value = *value};
  const auto mask = number<std::uint32_t>(word.substr(slash + 1));
  if (!mask) return std::nullopt;
  return MaskedValue{*value, *mask};
}

std::optional<kernel::PortRange> nat_ports(std::string_view word) { return port_range(word, '-'); }

std::optional<kernel::NatTo> nat_to(std::string_view word, bool destination) {
  kernel::NatTo nat;
  nat.destination = destination;
  const std::size_t colon = nat_port_colon(word);
  const std::string_view addresses = word.substr(0, colon);
  if (!addresses.empty() && !read_nat_addresses(addresses, nat)) return std::nullopt;
  if (colon == std::string_view::npos) return addresses.empty() ? std::nullopt : std::optional(nat);
  std::string_view ports = word.substr(colon + 1);
  if (!read_port_base(ports, nat)) return std::nullopt;
  nat.ports = nat_ports(ports);
  if (!nat.ports) return std::nullopt;
  return nat;
}

std::optional<kernel::Match> address_match(std::string_view word, bool source, bool inverted, Family family) {
  const bool any = word == "anywhere" || word == "0.0.0.0/0" || word == "::/0";
  const auto prefix = any ? std::optional(everything(family)) : parse_prefix(word);
  if (!prefix || prefix->ip().family != family) {
    return kernel::UnmodelledMatch{fmt::format("{}{} {}", inverted ? "! " : "", source ? "-s" : "-d", word)};
  }
  if (prefix->length() == 0 && !inverted) return std::nullopt;
  return kernel::AddressMatch{.source = source, .inverted = inverted, .prefix = *prefix};
}

bool is_remark(std::string_view line) {
  if (line.starts_with('#')) return true;
  const bool complaint = line.starts_with("iptables v") || line.starts_with("ip6tables v");
  return complaint && line.find(kIncompatible) != std::string_view::npos;
}

LineState read_remark(const SourceText& text, std::string_view line, kernel::Iptables& result, ReadLog& log) {
  const Provenance at = text.provenance(span_of(text, line));
  if (line.find("legacy tables present") != std::string_view::npos) {
    log.diagnostics.warning(at, "rules of iptables-legacy are in force too",
                            "they are not in this dump; what they drop or translate is not seen");
    return LineState::Ignored;
  }
  const std::size_t quote = line.find('`');
  if (line.find(kIncompatible) == std::string_view::npos || quote == std::string_view::npos)
    return LineState::Ignored;
  std::string_view name = line.substr(quote + 1);
  name = take_until(name, '\'');
  mark_incomplete(result, name);
  log.diagnostics.warning(at, fmt::format("table {} holds rules that iptables cannot show", printable(name)),
                          "what the table would decide ends \"unknown\"");
  return LineState::Unmodelled;
}

TargetKind target_kind(std::string_view name) {
  const auto found = std::ranges::find(kTargets, name, &KindName::name);
  return found == kTargets.end() ? TargetKind::Chain : found->kind;
}

kernel::Target verdict_target(std::string_view name) {
  if (name == "ACCEPT") return kernel::Accept{};
  if (name == "DROP") return kernel::Drop{};
  return kernel::Return{};
}

bool unmodelled(const kernel::IptablesRule& rule) {
  return std::holds_alternative<kernel::UnmodelledTarget>(rule.target) ||
         std::ranges::any_of(rule.matches, [](const kernel::Match& match) {
           return std::holds_alternative<kernel::UnmodelledMatch>(match);
         });
}

}  // namespace dvrtrace::iptables
