#include "src/openflow/match.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "src/openflow/match_reader.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {
namespace {

// How a keyword reads.
enum class Kind : std::uint8_t { Field, Protocol, VlanId, VlanPcp, Tos, Unmodelled };

struct Keyword {
  std::string_view name;
  Kind kind = Kind::Field;
  FieldId field = FieldId::Reg0;
  std::uint16_t eth_type = 0;
  std::uint8_t protocol = 0;
};

struct ProtocolWord {
  std::string_view name;
  std::uint16_t eth_type;
  std::uint8_t protocol;
};
// clang-format off
constexpr std::array<ProtocolWord, 17> kProtocols{{{"ip", kTypeIpv4, 0}, {"ipv4", kTypeIpv4, 0}, {"ip4", kTypeIpv4, 0},
                                                   {"icmp", kTypeIpv4, kProtoIcmp}, {"tcp", kTypeIpv4, kProtoTcp}, {"udp", kTypeIpv4, kProtoUdp},
                                                   {"sctp", kTypeIpv4, kProtoSctp}, {"igmp", kTypeIpv4, kProtoIgmp}, {"arp", kTypeArp, 0}, {"rarp", kTypeRarp, 0},
                                                   {"ipv6", kTypeIpv6, 0}, {"ip6", kTypeIpv6, 0}, {"tcp6", kTypeIpv6, kProtoTcp}, {"udp6", kTypeIpv6, kProtoUdp},
                                                   {"sctp6", kTypeIpv6, kProtoSctp}, {"icmp6", kTypeIpv6, kProtoIcmpv6}, {"mpls", kTypeMpls, 0}}};
// clang-format on

// Keywords of matches, by an open-addressed hash: every flow asks it for each of its parts.
class Keywords {
 public:
  Keywords() {
    for (std::size_t i = 0; i < kFields; ++i) {
      const FieldInfo& field = info(static_cast<FieldId>(i));
      put({field.name, Kind::Field, field.id});
      for (const std::string_view other : field.other_names) {
        if (!other.empty()) put({other, Kind::Field, field.id});
      }
    }
    for (const ProtocolWord& word : kProtocols)
      put({word.name, Kind::Protocol, FieldId::EthType, word.eth_type, word.protocol});
    put({"mplsm", Kind::Protocol, FieldId::EthType, kTypeMplsMulticast, 0});
    put({"eth", Kind::Protocol, FieldId::EthType, 0, 0});
    put({"dl_vlan", Kind::VlanId, FieldId::DlVlan});
    put({"dl_vlan_pcp", Kind::VlanPcp, FieldId::DlVlanPcp});
    put({"vlan_pcp", Kind::VlanPcp, FieldId::VlanPcp});
    put({"nw_tos", Kind::Tos, FieldId::NwTos});
    put({"tp_src", Kind::Field, FieldId::TcpSrc});
    put({"tp_dst", Kind::Field, FieldId::TcpDst});
  }
  const Keyword* find(std::string_view name) const {
    for (std::size_t slot = hash(name);; slot = (slot + 1) % kSlots) {
      if (slots_[slot].name.empty()) return nullptr;
      if (slots_[slot].name == name) return &slots_[slot];
    }
  }

 private:
  static constexpr std::size_t kSlots = 1024;
  static std::size_t hash(std::string_view name) {
    std::uint64_t value = name.size();
    for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return (value ^ value >> 29) % kSlots;
  }
  void put(const Keyword& keyword) {  // the later of two with one name holds
    std::size_t slot = hash(keyword.name);
    while (!slots_[slot].name.empty() && slots_[slot].name != keyword.name) slot = (slot + 1) % kSlots;
    slots_[slot] = keyword;
  }
  std::array<Keyword, kSlots> slots_{};
};

const Keywords& keywords() {
  static const Keywords table;
  return table;
}

// Fields that share storage are the field that the protocol of the match makes of them.
bool any_transport(FieldId id) {
  using enum FieldId;
  return id == TcpSrc || id == TcpDst;
}

}  // namespace

void MatchReader::add_word(unsigned index, std::uint64_t value, std::uint64_t mask) {
  if (mask == 0) return;
  if ((used_ >> index & 1) == 0) values_[index] = masks_[index] = 0;
  values_[index] = (values_[index] & ~mask) | (value & mask);
  masks_[index] |= mask;
  used_ |= std::uint64_t{1} << index;
}

void MatchReader::add(FieldId id, const MaskedValue& part) {
  const FieldInfo& field = info(id);
  if (field.bits > 64) {
    add_word(field.word, part.value.high, part.mask.high);
    add_word(field.word + 1u, part.value.low, part.mask.low);
  } else {
    add_word(field.word, part.value.low << field.shift, part.mask.low << field.shift);
  }
  if (field.needs != Prerequisite::None && field.needs != Prerequisite::Ethernet) {
    if (fields_ < kFew)
      few_[fields_] = id;
    else
      more_.push_back(id);
    ++fields_;
  }
}

bool MatchReader::part(std::string_view key, Scanner& scanner) {
  const Keyword* keyword = keywords().find(key);
  if (keyword == nullptr) {
    // Tunnel metadata has its layout in the switch's TLV map, which no dump of flows holds.
    if (!key.starts_with("tun_metadata")) return false;
    std::string text(key);
    if (scanner.take('=')) text += "=" + std::string(scanner.value());
    unmodelled_.push_back(std::move(text));
    return true;
  }
  if (is_tun_metadata(keyword->field)) {  // without a value: the option is there at all
    const std::uint64_t bit = std::uint64_t{1} << tun_metadata_number(keyword->field);
    add(FieldId::TunMetadataPresent, {{0, bit}, {0, bit}});
    if (scanner.peek() != '=' && scanner.peek() != '(') return true;
  }
  if (keyword->kind == Kind::Protocol) {
    if (keyword->eth_type != 0) add(FieldId::EthType, {{0, keyword->eth_type}, ones128(16)});
    if (keyword->protocol != 0) add(FieldId::NwProto, {{0, keyword->protocol}, ones128(8)});
    return true;
  }
  std::string_view text;
  if (scanner.take('=')) {
    text = scanner.value();
  } else if (scanner.peek() == '(') {
    const auto inside = scanner.parenthesised();
    if (!inside) return true;
    text = *inside;
  } else {
    scanner.fail_at(key, fmt::format("expected '=' after {}", quote(key)));
    return true;
  }
  const FieldInfo& field = info(keyword->field);
  const auto value = read_value(field, text, names_);
  if (!value) {
    // dl_vlan=0xffff says "no tag", though VLANs have 12 bits.
    if (keyword->kind == Kind::VlanId && number(text) == 0xffff) {
      add(FieldId::VlanTci, {{}, {0, kVlanPresent | 0x0fff}});
      return true;
    }
    scanner.fail_at(text, fmt::format("expected a value for {}, found {}", key, quote(text)));
    return true;
  }
  switch (keyword->kind) {
    case Kind::VlanId:
    case Kind::VlanPcp:
      add(FieldId::VlanTci, {{0, kVlanPresent}, {0, kVlanPresent}});
      add(keyword->field, *value);
      break;
    case Kind::Tos:
      add(FieldId::IpDscp, {value->value >> 2, ones128(6)});
      break;  // ECN is not matched
    default:
      // Open vSwitch takes the value of these two for the mask too (match_set_tun_erspan_hwid_masked).
      if (keyword->field == FieldId::TunErspanHwid || keyword->field == FieldId::TunErspanDir)
        add(keyword->field, {value->value, value->value});
      else
        add(keyword->field, *value);
  }
  return true;
}

Bits128 MatchReader::mask_of(const FieldInfo& field) const {
  if (field.bits > 64) return {mask_at(field.word), mask_at(field.word + 1u)};
  return {0, mask_at(field.word) >> field.shift & ones64(field.bits)};
}

std::uint64_t MatchReader::exact(FieldId id, std::uint64_t otherwise) const {
  const FieldInfo& field = info(id);
  if (mask_of(field) != ones128(field.bits)) return otherwise;
  return values_[field.word] >> field.shift & ones64(field.bits);
}

bool MatchReader::guaranteed(Prerequisite needs) const {
  constexpr std::uint64_t kNot = ~std::uint64_t{0};
  const std::uint64_t type = exact(FieldId::EthType, kNot);
  const std::uint64_t proto = exact(FieldId::NwProto, kNot);
  const bool ip = type == kTypeIpv4 || type == kTypeIpv6;
  const auto nd = [&](std::uint64_t wanted) {
    return type == kTypeIpv6 && proto == kProtoIcmpv6 && exact(FieldId::Icmpv6Type, kNot) == wanted;
  };
  switch (needs) {
    case Prerequisite::None:
    case Prerequisite::Ethernet:
      return true;
    case Prerequisite::Vlan:
      return (mask_at(info(FieldId::VlanTci).word) & kVlanPresent) != 0;
    case Prerequisite::Mpls:
      return type == kTypeMpls || type == kTypeMplsMulticast;
    case Prerequisite::Ip4:
      return type == kTypeIpv4 || type == kTypeArp || type == kTypeRarp;  // nw_src may say arp_spa
    case Prerequisite::Ip6:
      return type == kTypeIpv6;
    case Prerequisite::Ip:
      return ip || type == kTypeArp || type == kTypeRarp;
    case Prerequisite::Arp:
      return type == kTypeArp || type == kTypeRarp;
    case Prerequisite::Tcp:
      return ip && proto == kProtoTcp;
    case Prerequisite::Udp:
      return ip && proto == kProtoUdp;
    case Prerequisite::Sctp:
      return ip && proto == kProtoSctp;
    case Prerequisite::Icmp4:
    case Prerequisite::Icmp6:
      return (type == kTypeIpv4 && proto == kProtoIcmp) || (type == kTypeIpv6 && proto == kProtoIcmpv6);
    case Prerequisite::Nd:
      return nd(135) || nd(136);
    case Prerequisite::NdSolicit:
      return nd(135);
    case Prerequisite::NdAdvert:
      return nd(136);
    case Prerequisite::Tracked:
      return (mask_at(info(FieldId::CtState).word) >> 32 & kCtTracked) != 0;
    case Prerequisite::Nsh:
      return type == kTypeNsh || exact(FieldId::PacketType, kNot) == (1u << 16 | kTypeNsh);
  }
  return false;
}

void MatchReader::check_prerequisite(FieldId id, std::vector<std::string>* ignored) {
  const auto transport = [&] {
    return guaranteed(Prerequisite::Tcp) || guaranteed(Prerequisite::Udp) || guaranteed(Prerequisite::Sctp) ||
           guaranteed(Prerequisite::Icmp4);
  };
  const FieldInfo& field = info(id);
  if (guaranteed(field.needs) || (any_transport(id) && transport())) return;
  const Bits128 mask = field.bits > 64 ? ones128(field.bits) : ones128(field.bits) << field.shift;
  const auto clear = [&](std::size_t index, std::uint64_t bits) {
    if ((used_ >> index & 1) != 0) masks_[index] &= ~bits;
  };
  clear(field.word, field.bits > 64 ? mask.high : mask.low);
  if (field.bits > 64) clear(field.word + 1u, mask.low);
  if (ignored != nullptr) ignored->emplace_back(field.name);
}

Match MatchReader::finish(std::vector<std::string>* ignored) {
  for (std::size_t field = 0; field < std::min(fields_, kFew); ++field)
    check_prerequisite(few_[field], ignored);
  for (const FieldId id : more_) check_prerequisite(id, ignored);
  // "arp,nw_proto=2" says arp_op, whose other octet is nobody's.
  if (guaranteed(Prerequisite::Arp) && mask_of(info(FieldId::NwProto)) == ones128(8))
    add_word(info(FieldId::ArpOp).word, 0, 0xff00);
  Match match;
  std::array<MatchWord, kKeyWords> words;
  auto end = words.begin();
  for (std::uint64_t left = used_; left != 0; left &= left - 1) {
    const auto index = static_cast<std::uint32_t>(__builtin_ctzll(left));
    if (masks_[index] != 0) *end++ = {index, masks_[index], values_[index] & masks_[index]};
  }
  match.words = {words.begin(), end};
  match.unmodelled = {unmodelled_.begin(), unmodelled_.end()};
  return match;
}

Match read_match(std::string_view text, Names& names, std::optional<ReadError>& error) {
  Scanner scanner(text);
  MatchReader reader(names);
  for (scanner.skip_separators(); !scanner.done(); scanner.skip_separators()) {
    const std::string_view key = scanner.word();
    if (key.empty() || !reader.part(key, scanner)) {
      const std::string_view found = key.empty() ? scanner.rest() : key;
      scanner.fail_at(found.substr(0, std::max<std::size_t>(1, found.size())),
                      fmt::format("expected a match field, found {}", quote(found)));
    }
  }
  error = scanner.error();
  return reader.finish();
}

Bits128 Match::mask_of(FieldId id) const {
  const FieldInfo& field = info(id);
  Bits128 mask;
  for (const MatchWord& word : words) {
    if (field.bits > 64) {
      if (word.index == field.word) mask.high = word.mask;
      if (word.index == field.word + 1u) mask.low = word.mask;
    } else if (word.index == field.word) {
      mask.low = word.mask >> field.shift & ones64(field.bits);
    }
  }
  return mask;
}

Bits128 Match::value_of(FieldId id) const {
  const FieldInfo& field = info(id);
  Bits128 value;
  for (const MatchWord& word : words) {
    if (field.bits > 64) {
      if (word.index == field.word) value.high = word.value;
      if (word.index == field.word + 1u) value.low = word.value;
    } else if (word.index == field.word) {
      value.low = word.value >> field.shift & ones64(field.bits);
    }
  }
  return value;
}

void Match::add(FieldId id, Bits128 value, Bits128 mask) {
  const FieldInfo& field = info(id);
  std::vector<MatchWord> all(words.begin(), words.end());
  const auto put = [&](std::uint32_t index, std::uint64_t bits, std::uint64_t ones) {
    if (ones == 0) return;
    auto at = std::ranges::lower_bound(all, index, {}, &MatchWord::index);
    if (at == all.end() || at->index != index) at = all.insert(at, MatchWord{index, 0, 0});
    at->mask |= ones;
    at->value = (at->value & ~ones) | (bits & ones);
  };
  if (field.bits > 64) {
    put(field.word, value.high, mask.high);
    put(field.word + 1u, value.low, mask.low);
  } else {
    put(field.word, value.low << field.shift, mask.low << field.shift);
  }
  words = {all.begin(), all.end()};
}

namespace {

std::string print_vlan(Bits128 value, Bits128 mask) {
  const std::uint64_t tci = value.low, ones = mask.low;
  if (ones == 0x1fff && (tci & kVlanPresent) != 0) return fmt::format("dl_vlan={}", tci & 0xfff);
  if (ones == 0xf000 && (tci & kVlanPresent) != 0) return fmt::format("dl_vlan_pcp={}", tci >> 13);
  if (ones == 0xffff && (tci & kVlanPresent) != 0)
    return fmt::format("dl_vlan={},dl_vlan_pcp={}", tci & 0xfff, tci >> 13);
  if (ones == 0xffff) return fmt::format("vlan_tci={:#06x}", tci);
  return fmt::format("vlan_tci={:#06x}/{:#06x}", tci, ones);
}

// The protocol word that says eth_type and nw_proto at once, and what it leaves to print.
std::string print_protocol(const Match& match, bool& proto_said) {
  proto_said = false;
  if (match.mask_of(FieldId::EthType) != ones128(16)) return {};
  const std::uint64_t type = match.value_of(FieldId::EthType).low;
  if (match.mask_of(FieldId::NwProto) == ones128(8)) {
    const std::uint64_t proto = match.value_of(FieldId::NwProto).low;
    for (const ProtocolWord& word : kProtocols) {
      if (word.eth_type == type && word.protocol == proto && proto != 0 && word.name != "igmp") {
        proto_said = true;
        return std::string(word.name);
      }
    }
  }
  for (const ProtocolWord& word : kProtocols) {
    if (word.eth_type == type && word.protocol == 0) return std::string(word.name);
  }
  return type == kTypeMplsMulticast ? "mplsm" : fmt::format("dl_type={:#06x}", type);
}

// Fields in ovs-ofctl's order (match_format of Open vSwitch).
// clang-format off
constexpr std::array kPrintOrder = {
    FieldId::RecircId, FieldId::DpHash, FieldId::ConjId, FieldId::SkbPriority, FieldId::ActsetOutput, FieldId::CtState, FieldId::CtZone,
    FieldId::CtMark, FieldId::CtLabel, FieldId::CtNwSrc, FieldId::CtNwDst, FieldId::CtIpv6Src, FieldId::CtIpv6Dst, FieldId::CtNwProto,
    FieldId::CtTpSrc, FieldId::CtTpDst, FieldId::PacketType, FieldId::EthType, FieldId::PktMark,
    FieldId::Reg0, FieldId::Reg1, FieldId::Reg2, FieldId::Reg3, FieldId::Reg4, FieldId::Reg5, FieldId::Reg6, FieldId::Reg7, FieldId::Reg8,
    FieldId::Reg9, FieldId::Reg10, FieldId::Reg11, FieldId::Reg12, FieldId::Reg13, FieldId::Reg14, FieldId::Reg15,
    FieldId::TunId, FieldId::TunSrc, FieldId::TunDst, FieldId::TunIpv6Src, FieldId::TunIpv6Dst, FieldId::TunGbpId, FieldId::TunGbpFlags,
    FieldId::TunErspanVer, FieldId::TunErspanIdx, FieldId::TunErspanDir, FieldId::TunErspanHwid, FieldId::TunGtpuFlags,
    FieldId::TunGtpuMsgtype, FieldId::TunTos, FieldId::TunTtl, FieldId::TunFlags,
    FieldId::TunMetadata0, FieldId::TunMetadata1, FieldId::TunMetadata2, FieldId::TunMetadata3, FieldId::TunMetadataPresent, FieldId::Metadata, FieldId::InPort, FieldId::VlanTci,
    FieldId::VlanTci1, FieldId::EthSrc, FieldId::EthDst, FieldId::Ipv6Src, FieldId::Ipv6Dst, FieldId::Ipv6Label, FieldId::IpSrc,
    FieldId::IpDst, FieldId::ArpOp, FieldId::NwProto, FieldId::ArpSha, FieldId::ArpTha, FieldId::NshFlags, FieldId::NshTtl,
    FieldId::NshMdtype, FieldId::NshNp, FieldId::NshSpi, FieldId::NshSi, FieldId::NshC1, FieldId::NshC2, FieldId::NshC3, FieldId::NshC4,
    FieldId::IpDscp, FieldId::NwEcn, FieldId::NwTtl, FieldId::MplsLabel, FieldId::MplsTc, FieldId::MplsTtl, FieldId::MplsBos,
    FieldId::IpFrag, FieldId::IcmpType, FieldId::IcmpCode, FieldId::NdTarget, FieldId::NdSll, FieldId::NdTll, FieldId::NdReserved,
    FieldId::NdOptionsType, FieldId::TcpSrc, FieldId::TcpDst, FieldId::TcpFlags,
};
// clang-format on

class MatchPrinter {
 public:
  explicit MatchPrinter(const Match& match) : match_(match) {
    type_ = match.mask_of(FieldId::EthType) == ones128(16) ? match.value_of(FieldId::EthType).low : 0;
    proto_ = match.mask_of(FieldId::NwProto) == ones128(8) ? match.value_of(FieldId::NwProto).low : 0;
    protocol_ = print_protocol(match, proto_said_);
  }

  std::string print() {
    for (const FieldId id : kPrintOrder) {
      const Bits128 mask = match_.mask_of(id);
      if (mask == Bits128{}) continue;
      const std::string text = part(id, match_.value_of(id), mask);
      if (!text.empty()) append(text);
    }
    for (const std::string& text : match_.unmodelled) append(text);
    return std::move(out_);
  }

 private:
  void append(const std::string& text) {
    if (!out_.empty()) out_ += ',';
    out_ += text;
  }
  bool arp() const { return type_ == kTypeArp || type_ == kTypeRarp; }
  bool icmp() const {
    return (type_ == kTypeIpv4 && proto_ == kProtoIcmp) || (type_ == kTypeIpv6 && proto_ == kProtoIcmpv6);
  }
  bool nd() const {
    const std::uint64_t icmp_type = match_.value_of(FieldId::IcmpType).low;
    return type_ == kTypeIpv6 && proto_ == kProtoIcmpv6 && match_.mask_of(FieldId::IcmpType) == ones128(8) &&
           (icmp_type == 135 || icmp_type == 136);
  }

  // Options that are asked for without a value.
  std::string options(std::uint64_t present) const {
    std::string out;
    for (FieldId id = FieldId::TunMetadata0; is_tun_metadata(id);
         id = static_cast<FieldId>(static_cast<unsigned>(id) + 1)) {
      if ((present >> tun_metadata_number(id) & 1) == 0 || match_.mask_of(id) != Bits128{}) continue;
      out += (out.empty() ? "" : ",") + std::string(name(id));
    }
    return out;
  }

  // One field, under the name that the match's protocol gives it; "" when another one says it.
  std::string part(FieldId id, Bits128 value, Bits128 mask) const {
    const auto print = [&](std::string_view name, FieldId as) {
      return fmt::format("{}={}", name, print_value(info(as), value, mask));
    };
    switch (id) {
      case FieldId::EthType:
        return protocol_;
      case FieldId::TunMetadataPresent:
        return options(value.low);
      case FieldId::VlanTci:
        return print_vlan(value, mask);
      case FieldId::ArpOp:
        if (!arp() || proto_said_) return "";
        // Its high octet is nobody's: a mask of the low one alone is exact.
        return (mask.low & 0xff) == 0xff ? fmt::format("arp_op={}", value.low) : print("arp_op", id);
      case FieldId::NwProto:
        return arp() || proto_said_ ? "" : print("nw_proto", id);
      case FieldId::EthSrc:
        return print("dl_src", id);
      case FieldId::EthDst:
        return print("dl_dst", id);
      case FieldId::IpSrc:
        return print(arp() ? "arp_spa" : "nw_src", id);
      case FieldId::IpDst:
        return print(arp() ? "arp_tpa" : "nw_dst", id);
      case FieldId::ArpSha:
        return arp() ? print("arp_sha", id) : "";
      case FieldId::ArpTha:
        return arp() ? print("arp_tha", id) : "";
      case FieldId::NdSll:
        return nd() ? print("nd_sll", id) : "";
      case FieldId::NdTll:
        return nd() ? print("nd_tll", id) : "";
      case FieldId::IcmpType:
        return icmp() ? print("icmp_type", id) : "";
      case FieldId::IcmpCode:
        return icmp() ? print("icmp_code", id) : "";
      case FieldId::TcpSrc:
        return icmp() ? "" : print("tp_src", id);
      case FieldId::TcpDst:
        return icmp() ? "" : print("tp_dst", id);
      case FieldId::IpDscp:
        return fmt::format("nw_tos={}", value.low << 2);
      default:
        return print(name(id), id);
    }
  }

  const Match& match_;
  std::uint64_t type_ = 0, proto_ = 0;
  bool proto_said_ = false;
  std::string protocol_, out_;
};

}  // namespace

std::string to_string(const Match& match) { return MatchPrinter(match).print(); }

}  // namespace dvrtrace::openflow
