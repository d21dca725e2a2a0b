#include "src/openflow/value.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

#include "src/base/text.h"
#include "src/net/ip.h"
#include "src/net/mac.h"
#include "src/openflow/scanner.h"

namespace dvrtrace::openflow {
namespace {

struct Flag {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array<Flag, 8> kCtFlags{{{"new", kCtNew}, {"est", kCtEstablished}, {"rel", kCtRelated}, {"rpl", kCtReply},
                                        {"inv", kCtInvalid}, {"trk", kCtTracked}, {"snat", kCtSnat}, {"dnat", kCtDnat}}};
constexpr std::array<Flag, 12> kTcpFlags{{{"fin", 0x1}, {"syn", 0x2}, {"rst", 0x4}, {"psh", 0x8}, {"ack", 0x10}, {"urg", 0x20},
                                          {"ece", 0x40}, {"cwr", 0x80}, {"ns", 0x100}, {"[200]", 0x200}, {"[400]", 0x400}, {"[800]", 0x800}}};
constexpr std::array<Flag, 4> kTunFlags{{{"oam", 0x1}, {"df", 0x2}, {"csum", 0x4}, {"key", 0x8}}};

std::optional<std::uint32_t> find_flag(std::span<const Flag> flags, std::string_view name) {
  for (const Flag& flag : flags) {
    if (flag.name == name) return flag.bit;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bits128> read_number(std::string_view text) {
  if (const auto value = number(text)) return Bits128{0, *value};
  if (!text.starts_with("0x") || text.size() <= 18 || text.size() > 34) return std::nullopt;
  const std::string_view digits = text.substr(2);
  const auto high = hex_number(digits.substr(0, digits.size() - 16));
  const auto low = hex_number(digits.substr(digits.size() - 16));
  if (!high || !low) return std::nullopt;
  return Bits128{*high, *low};
}

namespace {

bool fits(Bits128 value, unsigned bits) { return (value & ~ones128(bits)) == Bits128{}; }

std::optional<MaskedValue> masked(std::optional<Bits128> value, std::optional<Bits128> mask, unsigned bits) {
  if (!value || !mask || !fits(*mask, bits)) return std::nullopt;
  if (!fits(*value, bits)) return std::nullopt;
  return MaskedValue{*value & *mask, *mask};
}

std::optional<MaskedValue> read_numeric(std::string_view text, unsigned bits) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return masked(read_number(text), ones128(bits), bits);
  return masked(read_number(text.substr(0, slash)), read_number(text.substr(slash + 1)), bits);
}

std::optional<MaskedValue> read_mac(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto mac = parse_mac(text.substr(0, slash));
  if (!mac) return std::nullopt;
  if (slash == std::string_view::npos) return MaskedValue{{0, mac->value}, ones128(48)};
  const auto mask = parse_mac(text.substr(slash + 1));
  if (!mask) return std::nullopt;
  return MaskedValue{{0, mac->value & mask->value}, {0, mask->value}};
}

std::optional<MaskedValue> read_ip(std::string_view text, Family family) {
  const unsigned bits = family == Family::V4 ? 32 : 128;
  const std::size_t slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip || ip->family != family) return std::nullopt;
  Bits128 mask = ones128(bits);
  if (slash != std::string_view::npos) {
    const std::string_view mask_text = text.substr(slash + 1);
    if (const auto length = number<unsigned>(mask_text)) {
      if (*length > bits) return std::nullopt;
      mask = mask & ~ones128(bits - *length);
    } else {
      const auto netmask = parse_ip(mask_text);  // need not be contiguous
      if (!netmask || netmask->family != family) return std::nullopt;
      mask = {netmask->high, netmask->low};
    }
  }
  return MaskedValue{Bits128{ip->high, ip->low} & mask, mask};
}

// "+a-b" (named bits only), "a|b" (exact), or numbers.
std::optional<MaskedValue> read_flags(std::string_view text, std::span<const Flag> flags, unsigned bits) {
  if (text.empty()) return std::nullopt;
  if (is_digit(text[0])) return read_numeric(text, bits);
  Bits128 value, mask;
  if (text[0] != '+' && text[0] != '-') {
    for (const std::string_view word : split(text, '|')) {
      const auto bit = find_flag(flags, word);
      if (!bit) return std::nullopt;
      value.low |= *bit;
    }
    return MaskedValue{value, ones128(bits)};
  }
  while (!text.empty()) {
    const char sign = text[0];
    if (sign != '+' && sign != '-') return std::nullopt;
    text.remove_prefix(1);
    const std::string_view word = text.substr(0, text.find_first_of("+-"));
    const auto bit = find_flag(flags, word);
    if (!bit) return std::nullopt;
    mask.low |= *bit;
    if (sign == '+') value.low |= *bit;
    text.remove_prefix(word.size());
  }
  return MaskedValue{value, mask};
}

std::optional<MaskedValue> read_frag(std::string_view text) {
  constexpr std::uint64_t kBoth = kFragAny | kFragLater;
  if (text == "no") return MaskedValue{{0, 0}, {0, kBoth}};
  if (text == "yes") return MaskedValue{{0, kFragAny}, {0, kFragAny}};
  if (text == "first") return MaskedValue{{0, kFragAny}, {0, kBoth}};
  if (text == "later") return MaskedValue{{0, kBoth}, {0, kBoth}};
  if (text == "not_later") return MaskedValue{{0, 0}, {0, kFragLater}};
  return read_numeric(text, 8);
}

std::optional<MaskedValue> read_packet_type(std::string_view text) {
  if (text.starts_with('(') && text.ends_with(')')) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    const auto space = number(text.substr(1, comma - 1));
    const auto type = number(text.substr(comma + 1, text.size() - comma - 2));
    if (!space || !type || *space > 0xffff || *type > 0xffff) return std::nullopt;
    return MaskedValue{{0, *space << 16 | *type}, ones128(32)};
  }
  return read_numeric(text, 32);
}

struct ReservedPort {
  std::string_view name;
  Ofport port;
};
constexpr std::array<ReservedPort, 10> kReserved{{{"IN_PORT", kPortInPort}, {"TABLE", kPortTable}, {"NORMAL", kPortNormal},
                                                  {"FLOOD", kPortFlood}, {"ALL", kPortAll}, {"CONTROLLER", kPortController},
                                                  {"LOCAL", kPortLocal}, {"ANY", kPortNone}, {"NONE", kPortNone}, {"UNSET", kPortUnset}}};

bool same_word(std::string_view text, std::string_view upper) {
  return text.size() == upper.size() &&
         std::equal(text.begin(), text.end(), upper.begin(), [](char a, char b) {
           return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
         });
}

std::string print_flags(std::uint64_t value, std::uint64_t mask, std::span<const Flag> flags, std::uint64_t all) {
  std::string out;
  if ((mask & all) == all) {  // exact
    for (const Flag& flag : flags) {
      if ((value & flag.bit) != 0) out += fmt::format("{}{}", out.empty() ? "" : "|", flag.name);
    }
    return out.empty() ? "0" : out;
  }
  for (const Flag& flag : flags) {
    if ((mask & flag.bit) != 0) out += fmt::format("{}{}", (value & flag.bit) != 0 ? '+' : '-', flag.name);
  }
  return out;
}

std::string print_hex(Bits128 value) {
  if (value.high != 0) return fmt::format("{:#x}{:016x}", value.high, value.low);
  std::array<char, 18> text{'0', 'x'};
  return {text.data(), std::to_chars(text.data() + 2, text.data() + text.size(), value.low, 16).ptr};
}

std::string print_ip_masked(Bits128 value, Bits128 mask, Family family) {
  const unsigned bits = family == Family::V4 ? 32 : 128;
  const std::string ip = to_string(Ip{family, value.high, value.low});
  if (mask == ones128(bits)) return ip;
  const Ip netmask{family, mask.high, mask.low};
  if (const auto length = prefix_length_of(netmask)) return fmt::format("{}/{}", ip, *length);
  return fmt::format("{}/{}", ip, to_string(netmask));
}

std::string print_frag(std::uint64_t value, std::uint64_t mask) {
  if ((mask & 3) == 3) return value == 0 ? "no" : value == 1 ? "first" : value == 3 ? "later" : fmt::format("{:#x}", value);
  if (mask == kFragAny) return value != 0 ? "yes" : "no";
  if (mask == kFragLater && value == 0) return "not_later";
  return fmt::format("{:#x}/{:#x}", value, mask);
}

}  // namespace

std::optional<Ofport> read_port(std::string_view text, Names& names) {
  if (text.empty()) return std::nullopt;
  if (const auto value = number(text)) {
    const std::uint32_t port = normalise_port(*value);
    if (*value > 0xffffffff || port > 0xffff) return std::nullopt;
    return Ofport{port};
  }
  if (text.front() == '"') {
    Scanner scanner(text);
    const auto name = scanner.quoted();
    if (!name || !scanner.done()) return std::nullopt;
    return names.port(*name);
  }
  for (const ReservedPort& reserved : kReserved) {
    if (same_word(text, reserved.name)) return reserved.port;
  }
  if (is_digit(text.front()) || text.find_first_of("()[]{}\"'=/\\;:>*") != std::string_view::npos) return std::nullopt;
  return names.port(text);
}

std::string print_port(Ofport port) {
  for (const ReservedPort& reserved : kReserved) {
    if (reserved.port == port) return std::string(reserved.name);
  }
  return std::to_string(port.value);
}

std::optional<std::uint32_t> read_ct_flags(std::string_view text) {
  std::uint32_t state = 0;
  if (const auto value = number<std::uint32_t>(text)) return value;
  while (!text.empty()) {
    if (text[0] == '+' || text[0] == '|' || text[0] == ',') {
      text.remove_prefix(1);
      continue;
    }
    const std::string_view word = text.substr(0, text.find_first_of("+|,"));
    const auto bit = find_flag(kCtFlags, word);
    if (!bit) return std::nullopt;
    state |= *bit;
    text.remove_prefix(word.size());
  }
  return state;
}

std::string print_ct_state(std::uint64_t state, char separator) {
  std::string out;
  for (const Flag& flag : kCtFlags) {
    if ((state & flag.bit) == 0) continue;
    if (!out.empty()) out += separator;
    out += flag.name;
  }
  return out.empty() ? "0" : out;
}

std::optional<MaskedValue> read_value(const FieldInfo& field, std::string_view text, Names& names) {
  switch (field.format) {
    case Format::Decimal:
    case Format::Hex: return read_numeric(text, field.bits);
    case Format::Mac: return read_mac(text);
    case Format::Ipv4: return read_ip(text, Family::V4);
    case Format::Ipv6: return read_ip(text, Family::V6);
    case Format::Frag: return read_frag(text);
    case Format::CtState: return read_flags(text, kCtFlags, field.bits);
    case Format::TcpFlags: return read_flags(text, kTcpFlags, 12);
    case Format::TunFlags: return read_flags(text, kTunFlags, field.bits);
    case Format::PacketType: return read_packet_type(text);
    case Format::Port: {
      const auto port = read_port(text, names);
      if (!port) return std::nullopt;
      return MaskedValue{{0, port->value}, ones128(32)};
    }
  }
  return std::nullopt;
}

std::string print_value(const FieldInfo& field, Bits128 value, Bits128 mask) {
  const bool exact = mask == ones128(field.bits);
  const auto with_mask = [&](auto print) { return exact ? print(value) : print(value) + "/" + print(mask); };
  switch (field.format) {
    case Format::Decimal: return exact ? fmt::format("{}", value.low) : fmt::format("{:#x}/{:#x}", value.low, mask.low);
    case Format::Hex: return with_mask(print_hex);
    case Format::Mac: return with_mask([](Bits128 mac) { return to_string(Mac{mac.low}); });
    case Format::Ipv4: return print_ip_masked(value, mask, Family::V4);
    case Format::Ipv6: return print_ip_masked(value, mask, Family::V6);
    case Format::Frag: return print_frag(value.low, mask.low);
    case Format::CtState: return print_flags(value.low, mask.low, kCtFlags, 0xff);
    case Format::TcpFlags: return print_flags(value.low, mask.low, kTcpFlags, 0xfff);
    case Format::TunFlags: return print_flags(value.low, mask.low, kTunFlags, 0xf);
    case Format::PacketType: return fmt::format("({},{:#x})", value.low >> 16, value.low & 0xffff);
    case Format::Port: return print_port(Ofport{static_cast<std::uint32_t>(value.low)});
  }
  return {};
}

}  // namespace dvrtrace::openflow
