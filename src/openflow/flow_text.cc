#include "src/openflow/flow_text.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "src/base/text.h"
#include "src/openflow/match_reader.h"
#include "src/openflow/value.h"

namespace dvrtrace::openflow {
namespace {

using F = FieldId;

// About the packet rather than in it: printed where not 0.
constexpr std::array kContext = {F::RecircId,      F::DpHash,       F::ConjId,
                                 F::SkbPriority,   F::CtState,      F::CtZone,
                                 F::CtMark,        F::CtLabel,      F::CtNwSrc,
                                 F::CtNwDst,       F::CtIpv6Src,    F::CtIpv6Dst,
                                 F::CtNwProto,     F::CtTpSrc,      F::CtTpDst,
                                 F::PktMark,       F::Reg0,         F::Reg1,
                                 F::Reg2,          F::Reg3,         F::Reg4,
                                 F::Reg5,          F::Reg6,         F::Reg7,
                                 F::Reg8,          F::Reg9,         F::Reg10,
                                 F::Reg11,         F::Reg12,        F::Reg13,
                                 F::Reg14,         F::Reg15,        F::TunId,
                                 F::TunSrc,        F::TunDst,       F::TunIpv6Src,
                                 F::TunIpv6Dst,    F::TunGbpId,     F::TunGbpFlags,
                                 F::TunErspanVer,  F::TunErspanIdx, F::TunErspanDir,
                                 F::TunErspanHwid, F::TunGtpuFlags, F::TunGtpuMsgtype,
                                 F::TunTos,        F::TunTtl,       F::TunFlags,
                                 F::Metadata,      F::TunMetadata0, F::TunMetadata1,
                                 F::TunMetadata2,  F::TunMetadata3, F::TunMetadataPresent};
constexpr std::array kAlways = {F::InPort, F::EthSrc, F::EthDst, F::EthType};
constexpr std::array kIp = {F::NwProto, F::IpDscp, F::NwEcn, F::NwTtl};
constexpr std::array kIpv4 = {F::IpSrc, F::IpDst};
constexpr std::array kIpv6 = {F::Ipv6Src, F::Ipv6Dst, F::Ipv6Label};
constexpr std::array kArp = {F::ArpSpa, F::ArpTpa, F::NwProto, F::ArpSha, F::ArpTha};
constexpr std::array kMpls = {F::MplsLabel, F::MplsTc, F::MplsBos, F::MplsTtl};
constexpr std::array kNsh = {F::NshFlags, F::NshMdtype, F::NshNp, F::NshSpi, F::NshSi,
                             F::NshC1,    F::NshC2,     F::NshC3, F::NshC4,  F::NshTtl};

class PacketPrinter {
 public:
  explicit PacketPrinter(const FlowKey& key) : key_(key) {}

  std::string print() {
    for (const FieldId id : kContext) {
      if (get(key_, id) != Bits128{} && shown(id)) add(id);
    }
    add(kAlways);
    vlans();
    if (exists(key_, Prerequisite::Ip)) ip();
    if (exists(key_, Prerequisite::Arp)) add(kArp);
    if (exists(key_, Prerequisite::Mpls)) mpls();
    if (exists(key_, Prerequisite::Nsh)) add(kNsh);
    return to_string(match_) + more_;
  }

 private:
  // Fields of a tunnel are where a tunnel is; of a packet that is on its way to one only the id is.
  bool shown(FieldId id) const {
    if ((id < F::TunId || id > F::TunGtpuMsgtype) && !is_tun_metadata(id) && id != F::TunMetadataPresent)
      return true;
    constexpr std::uint64_t kKey = 0x8;
    const bool tunnel = get(key_, F::TunDst) != Bits128{} || get(key_, F::TunIpv6Dst) != Bits128{};
    if (id == F::TunId) return !tunnel || (get64(key_, F::TunFlags) & kKey) != 0;
    return tunnel;
  }
  void add(FieldId id) { match_.add(id, get(key_, id), ones128(info(id).bits)); }
  template <std::size_t kSize>
  void add(const std::array<FieldId, kSize>& ids) {
    for (const FieldId id : ids) add(id);
  }

  void vlans() {
    add(F::VlanTci);
    if ((get64(key_, F::VlanTci) & kVlanPresent) == 0) return;
    const std::uint64_t inner = get64(key_, F::VlanTci1);
    more_ += (inner & kVlanPresent) != 0
                 ? fmt::format(",dl_vlan1={},dl_vlan_pcp1={}", inner & 0xfff, inner >> 13)
                 : fmt::format(",vlan_tci1={:#06x}", inner);
  }

  void mpls() {
    add(kMpls);
    for (const FieldId id : {F::MplsLse1, F::MplsLse2}) {
      if (get64(key_, id) != 0) more_ += fmt::format(",{}={:#x}", name(id), get64(key_, id));
    }
  }

  void ip() {
    add(kIp);
    if (exists(key_, Prerequisite::Ip4))
      add(kIpv4);
    else
      add(kIpv6);
    match_.add(F::IpFrag, get(key_, F::IpFrag), ones128(8));
    if (exists(key_, Prerequisite::Tcp) || exists(key_, Prerequisite::Udp) ||
        exists(key_, Prerequisite::Sctp)) {
      add(F::TcpSrc);
      add(F::TcpDst);
    }
    if (exists(key_, Prerequisite::Tcp)) add(F::TcpFlags);
    // Type and code lie where ports do, and may have been written as such.
    if (exists(key_, Prerequisite::Icmp4) || exists(key_, Prerequisite::Icmp6)) {
      more_ += fmt::format(",icmp_type={},icmp_code={}", get64(key_, F::TcpSrc), get64(key_, F::TcpDst));
    }
    if (!exists(key_, Prerequisite::Nd)) return;
    add(F::NdTarget);
    const F link = exists(key_, Prerequisite::NdSolicit) ? F::NdSll : F::NdTll;
    more_ += fmt::format(",{}={}", name(link), print_value(info(link), get(key_, link), ones128(48)));
  }

  const FlowKey& key_;
  Match match_;
  std::string more_;  // what a match does not print, or not so
};

}  // namespace

FlowKey read_packet(std::string_view text, Names& names, std::optional<ReadError>& error) {
  Scanner scanner(text);
  MatchReader reader(names);
  FlowKey key;
  std::uint64_t inner_tci = 0, inner_pcp = 0;
  bool in_port = false;
  for (scanner.skip_separators(); !scanner.done(); scanner.skip_separators()) {
    const std::string_view word = scanner.word();
    in_port = in_port || word.starts_with("in_port");
    // The inner tag has names in the text of a packet only.
    if (word == "dl_vlan1" || word == "dl_vlan_pcp1" || word == "vlan_tci1") {
      scanner.take('=');
      const std::string_view value = scanner.value();
      const auto number_of = number(value);
      if (!number_of || *number_of > 0xffff) {
        scanner.fail_at(value, fmt::format("expected a value for {}, found {}", word, quote(value)));
      } else if (word == "dl_vlan1") {
        inner_tci |= kVlanPresent | (*number_of & 0xfff);
      } else if (word == "dl_vlan_pcp1") {
        inner_pcp = (*number_of & 7) << 13;
      } else {
        inner_tci = *number_of;
      }
      continue;
    }
    if (word.empty() || !reader.part(word, scanner)) {
      const std::string_view found = word.empty() ? scanner.rest() : word;
      scanner.fail_at(found.substr(0, std::max<std::size_t>(1, found.size())),
                      fmt::format("expected a field of the packet, found {}", quote(found)));
    }
  }
  std::vector<std::string> ignored;
  const Match match = reader.finish(&ignored);
  if (!match.unmodelled.empty())
    scanner.fail(0, 0, fmt::format("{} is not modelled", match.unmodelled.front()));
  if (!ignored.empty()) {
    scanner.fail(0, static_cast<std::uint32_t>(text.size()),
                 fmt::format("prerequisites not met for setting {}", ignored.front()));
  }
  error = scanner.error();
  for (const MatchWord& word : match.words) key.words[word.index] |= word.value;
  set64(key, F::VlanTci1, inner_tci | inner_pcp);
  for (const auto& [tci, tpid] : {std::pair{F::VlanTci, F::VlanTpid}, std::pair{F::VlanTci1, F::VlanTpid1}}) {
    if ((get64(key, tci) & kVlanPresent) != 0) set64(key, tpid, kTypeVlan);
  }
  if (!in_port) set64(key, F::InPort, kPortNone.value);
  return key;
}

std::string print_packet(const FlowKey& key) { return PacketPrinter(key).print(); }

}  // namespace dvrtrace::openflow
