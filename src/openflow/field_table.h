// The field table: where each field of Open vSwitch lives in a FlowKey, its width and its names. Use it through field.h.
//
// Known to the compiler, so that reading or writing a field that is named in the code is a shift and a mask.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "src/openflow/flow_key.h"

namespace dvrtrace::openflow {

enum class FieldId : std::uint16_t {
  DpHash, RecircId, PacketType, ConjId, TunId, TunSrc, TunDst, TunIpv6Src, TunIpv6Dst, TunFlags, TunTtl, TunTos,
  TunGbpId, TunGbpFlags, TunErspanIdx, TunErspanVer, TunErspanDir, TunErspanHwid, TunGtpuFlags, TunGtpuMsgtype,
  Metadata, InPort, ActsetOutput, SkbPriority, PktMark,
  CtState, CtZone, CtMark, CtLabel, CtNwProto, CtNwSrc, CtNwDst, CtIpv6Src, CtIpv6Dst, CtTpSrc, CtTpDst,
  Reg0, Reg1, Reg2, Reg3, Reg4, Reg5, Reg6, Reg7, Reg8, Reg9, Reg10, Reg11, Reg12, Reg13, Reg14, Reg15,
  XReg0, XReg1, XReg2, XReg3, XReg4, XReg5, XReg6, XReg7, XXReg0, XXReg1, XXReg2, XXReg3,
  EthSrc, EthDst, EthType, VlanTci, DlVlan, VlanVid, DlVlanPcp, VlanPcp, VlanTpid, VlanTci1, VlanTpid1,
  MplsLabel, MplsTc, MplsBos, MplsTtl, MplsLse1, MplsLse2,
  IpSrc, IpDst, Ipv6Src, Ipv6Dst, Ipv6Label, NwProto, NwTos, IpDscp, NwEcn, NwTtl, IpFrag,
  ArpOp, ArpSpa, ArpTpa, ArpSha, ArpTha,
  TcpSrc, TcpDst, TcpFlags, UdpSrc, UdpDst, SctpSrc, SctpDst, IcmpType, IcmpCode, Icmpv6Type, Icmpv6Code,
  NdTarget, NdSll, NdTll, NdReserved, NdOptionsType,
  NshFlags, NshMdtype, NshNp, NshSpi, NshSi, NshC1, NshC2, NshC3, NshC4, NshTtl,
  TunMetadata0, TunMetadata1, TunMetadata2, TunMetadata3, TunMetadataPresent,
};
inline constexpr std::size_t kFields = static_cast<std::size_t>(FieldId::TunMetadataPresent) + 1;

enum class Format : std::uint8_t { Decimal, Hex, Mac, Ipv4, Ipv6, Frag, CtState, TcpFlags, Port, TunFlags, PacketType };

// What a packet must be for a field to exist.
enum class Prerequisite : std::uint8_t {
  None, Ethernet, Vlan, Mpls, Ip4, Ip6, Ip, Arp, Tcp, Udp, Sctp, Icmp4, Icmp6, Nd, NdSolicit, NdAdvert, Tracked, Nsh,
};

struct FieldInfo {
  FieldId id;
  std::string_view name;      // as Open vSwitch prints it
  std::uint8_t word, shift;   // place in the key; fields above 64 bits fill two words, the high one first
  std::uint16_t bits;
  Format format;
  Prerequisite needs;
  bool maskable, writable;
  std::array<std::string_view, 5> other_names;  // aliases, NXM and OXM names; "" ends
};

namespace field_table {

using enum Prerequisite;
using F = FieldId;

// The layout of a FlowKey, word by word. Fields that Neutron's flows match on together share words.
inline constexpr std::uint8_t kWordL2 = 0;        // in_port 32 | eth_type 16 | vlan_tci 16
inline constexpr std::uint8_t kWordEthSrc = 1;    // eth_src 48 | unused 8 (high byte of arp_op) | nw_proto 8
inline constexpr std::uint8_t kWordEthDst = 2;    // eth_dst 48 | nw_ttl 8 | ip_frag 8
inline constexpr std::uint8_t kWordIp = 3;        // ip_src 32 | ip_dst 32
inline constexpr std::uint8_t kWordL4 = 4;        // tp_src 16 | tp_dst 16 | tcp_flags 16 | nw_tos 8 | unused
inline constexpr std::uint8_t kWordCt = 5;        // ct_state 32 | ct_mark 32
inline constexpr std::uint8_t kWordCtZone = 6;    // ct_zone 16 | conj_id 32 | vlan_tci1 16
inline constexpr std::uint8_t kWordTunId = 7;
inline constexpr std::uint8_t kWordMetadata = 8;
inline constexpr std::uint8_t kWordReg = 9;       // reg0 32 | reg1 32, ... to word 16
inline constexpr std::uint8_t kWordIpv6 = 17;     // source 2 words, destination 2 words
inline constexpr std::uint8_t kWordTun = 21;      // tun_src 32 | tun_dst 32
inline constexpr std::uint8_t kWordTunV6 = 22;    // 4 words
inline constexpr std::uint8_t kWordTunBits = 26;  // flags 16 | gbp_id 16 | gbp_flags 8 | ttl 8 | tos 8
inline constexpr std::uint8_t kWordTunMore = 27;  // erspan idx 20(32) | ver 8 | dir 8 | hwid 8 | gtpu flags 8
inline constexpr std::uint8_t kWordMark = 28;     // pkt_mark 32 | skb_priority 32
inline constexpr std::uint8_t kWordArp = 29;      // arp_sha / nd_sll 48 | gtpu msgtype 8
inline constexpr std::uint8_t kWordArp2 = 30;     // arp_tha / nd_tll 48 | nd_options_type 8
inline constexpr std::uint8_t kWordNd = 31;       // nd_target 2 words
inline constexpr std::uint8_t kWordNd2 = 33;      // nd_reserved 32 | ipv6_label 32
inline constexpr std::uint8_t kWordCtLabel = 34;  // 2 words
inline constexpr std::uint8_t kWordCtIp = 36;     // ct_nw_src 32 | ct_nw_dst 32
inline constexpr std::uint8_t kWordCtTp = 37;     // ct_tp_src 16 | ct_tp_dst 16 | ct_nw_proto 8
inline constexpr std::uint8_t kWordCtIpv6 = 38;   // 4 words
inline constexpr std::uint8_t kWordMpls = 42;     // lse0 32 | lse1 32
inline constexpr std::uint8_t kWordMpls2 = 43;    // lse2 32 | vlan tpid 16 | tpid1 16
inline constexpr std::uint8_t kWordHash = 44;     // dp_hash 32 | recirc_id 32
inline constexpr std::uint8_t kWordType = 45;     // packet_type 32 | actset_output 32
inline constexpr std::uint8_t kWordNsh = 46;      // flags 8 | mdtype 8 | np 8 | si 8 | ttl 8
inline constexpr std::uint8_t kWordNshSpi = 47;   // spi 24(32)
inline constexpr std::uint8_t kWordNshC = 48;     // c1..c4, 2 words
inline constexpr std::uint8_t kWordTunMetadata = 50;  // 4 words, then which of them are there
static_assert(kWordTunMetadata + 5 <= kKeyWords);

consteval FieldInfo field(F id, std::string_view name, int word, int shift, int bits, Format format, Prerequisite needs,
                          bool maskable, bool writable, std::array<std::string_view, 5> others = {}) {
  return {id, name, static_cast<std::uint8_t>(word), static_cast<std::uint8_t>(shift), static_cast<std::uint16_t>(bits),
          format, needs, maskable, writable, others};
}

inline constexpr bool kMask = true, kNoMask = false, kWrite = true, kRead = false;
using enum Format;

// In the order of FieldId.
inline constexpr std::array<FieldInfo, kFields> kTable = {
    field(F::DpHash, "dp_hash", kWordHash, 32, 32, Hex, None, kMask, kRead, {"NXM_NX_DP_HASH", "NXOXM_ET_DP_HASH"}),
    field(F::RecircId, "recirc_id", kWordHash, 0, 32, Decimal, None, kNoMask, kRead, {"NXM_NX_RECIRC_ID"}),
    field(F::PacketType, "packet_type", kWordType, 32, 32, Format::PacketType, None, kNoMask, kRead, {"OXM_OF_PACKET_TYPE"}),
    field(F::ConjId, "conj_id", kWordCtZone, 16, 32, Decimal, None, kNoMask, kRead, {"NXM_NX_CONJ_ID"}),
    field(F::TunId, "tun_id", kWordTunId, 0, 64, Hex, None, kMask, kWrite, {"tunnel_id", "NXM_NX_TUN_ID", "OXM_OF_TUNNEL_ID"}),
    field(F::TunSrc, "tun_src", kWordTun, 32, 32, Ipv4, None, kMask, kWrite, {"NXM_NX_TUN_IPV4_SRC"}),
    field(F::TunDst, "tun_dst", kWordTun, 0, 32, Ipv4, None, kMask, kWrite, {"NXM_NX_TUN_IPV4_DST"}),
    field(F::TunIpv6Src, "tun_ipv6_src", kWordTunV6, 0, 128, Ipv6, None, kMask, kWrite, {"NXM_NX_TUN_IPV6_SRC"}),
    field(F::TunIpv6Dst, "tun_ipv6_dst", kWordTunV6 + 2, 0, 128, Ipv6, None, kMask, kWrite, {"NXM_NX_TUN_IPV6_DST"}),
    field(F::TunFlags, "tun_flags", kWordTunBits, 48, 16, Format::TunFlags, None, kMask, kWrite, {"NXM_NX_TUN_FLAGS"}),
    field(F::TunTtl, "tun_ttl", kWordTunBits, 16, 8, Decimal, None, kNoMask, kRead),
    field(F::TunTos, "tun_tos", kWordTunBits, 8, 8, Decimal, None, kNoMask, kRead),
    field(F::TunGbpId, "tun_gbp_id", kWordTunBits, 32, 16, Decimal, None, kMask, kWrite, {"NXM_NX_TUN_GBP_ID"}),
    field(F::TunGbpFlags, "tun_gbp_flags", kWordTunBits, 24, 8, Hex, None, kMask, kWrite, {"NXM_NX_TUN_GBP_FLAGS"}),
    field(F::TunErspanIdx, "tun_erspan_idx", kWordTunMore, 32, 20, Hex, None, kMask, kWrite, {"NXOXM_ET_ERSPAN_IDX"}),
    field(F::TunErspanVer, "tun_erspan_ver", kWordTunMore, 24, 4, Decimal, None, kMask, kWrite, {"NXOXM_ET_ERSPAN_VER"}),
    field(F::TunErspanDir, "tun_erspan_dir", kWordTunMore, 16, 1, Decimal, None, kMask, kWrite, {"NXOXM_ET_ERSPAN_DIR"}),
    field(F::TunErspanHwid, "tun_erspan_hwid", kWordTunMore, 8, 6, Hex, None, kMask, kWrite, {"NXOXM_ET_ERSPAN_HWID"}),
    field(F::TunGtpuFlags, "tun_gtpu_flags", kWordTunMore, 0, 8, Hex, None, kMask, kRead, {"NXOXM_ET_GTPU_FLAGS", "gtpu_flags"}),
    field(F::TunGtpuMsgtype, "tun_gtpu_msgtype", kWordArp, 8, 8, Decimal, None, kMask, kRead, {"NXOXM_ET_GTPU_MSGTYPE", "gtpu_msgtype"}),
    field(F::Metadata, "metadata", kWordMetadata, 0, 64, Hex, None, kMask, kWrite, {"OXM_OF_METADATA"}),
    field(F::InPort, "in_port", kWordL2, 32, 32, Port, None, kNoMask, kWrite, {"in_port_oxm", "NXM_OF_IN_PORT", "OXM_OF_IN_PORT"}),
    field(F::ActsetOutput, "actset_output", kWordType, 0, 32, Port, None, kNoMask, kRead, {"ONFOXM_ET_ACTSET_OUTPUT", "OXM_OF_ACTSET_OUTPUT"}),
    field(F::SkbPriority, "skb_priority", kWordMark, 0, 32, Hex, None, kNoMask, kRead),
    field(F::PktMark, "pkt_mark", kWordMark, 32, 32, Hex, None, kMask, kWrite, {"NXM_NX_PKT_MARK"}),
    field(F::CtState, "ct_state", kWordCt, 32, 32, Format::CtState, None, kMask, kRead, {"NXM_NX_CT_STATE"}),
    field(F::CtZone, "ct_zone", kWordCtZone, 48, 16, Hex, None, kNoMask, kRead, {"NXM_NX_CT_ZONE"}),
    field(F::CtMark, "ct_mark", kWordCt, 0, 32, Hex, None, kMask, kWrite, {"NXM_NX_CT_MARK"}),
    field(F::CtLabel, "ct_label", kWordCtLabel, 0, 128, Hex, None, kMask, kWrite, {"NXM_NX_CT_LABEL"}),
    field(F::CtNwProto, "ct_nw_proto", kWordCtTp, 24, 8, Decimal, Tracked, kNoMask, kRead, {"NXM_NX_CT_NW_PROTO"}),
    field(F::CtNwSrc, "ct_nw_src", kWordCtIp, 32, 32, Ipv4, Tracked, kMask, kRead, {"NXM_NX_CT_NW_SRC"}),
    field(F::CtNwDst, "ct_nw_dst", kWordCtIp, 0, 32, Ipv4, Tracked, kMask, kRead, {"NXM_NX_CT_NW_DST"}),
    field(F::CtIpv6Src, "ct_ipv6_src", kWordCtIpv6, 0, 128, Ipv6, Tracked, kMask, kRead, {"NXM_NX_CT_IPV6_SRC"}),
    field(F::CtIpv6Dst, "ct_ipv6_dst", kWordCtIpv6 + 2, 0, 128, Ipv6, Tracked, kMask, kRead, {"NXM_NX_CT_IPV6_DST"}),
    field(F::CtTpSrc, "ct_tp_src", kWordCtTp, 48, 16, Decimal, Tracked, kMask, kRead, {"NXM_NX_CT_TP_SRC"}),
    field(F::CtTpDst, "ct_tp_dst", kWordCtTp, 32, 16, Decimal, Tracked, kMask, kRead, {"NXM_NX_CT_TP_DST"}),
#define REG(n) field(F::Reg##n, "reg" #n, kWordReg + n / 2, n % 2 == 0 ? 32 : 0, 32, Hex, None, kMask, kWrite, {"NXM_NX_REG" #n})
    REG(0), REG(1), REG(2), REG(3), REG(4), REG(5), REG(6), REG(7), REG(8), REG(9), REG(10), REG(11), REG(12), REG(13), REG(14), REG(15),
#undef REG
#define XREG(n) field(F::XReg##n, "xreg" #n, kWordReg + n, 0, 64, Hex, None, kMask, kWrite, {"OXM_OF_PKT_REG" #n})
    XREG(0), XREG(1), XREG(2), XREG(3), XREG(4), XREG(5), XREG(6), XREG(7),
#undef XREG
#define XXREG(n) field(F::XXReg##n, "xxreg" #n, kWordReg + 2 * n, 0, 128, Hex, None, kMask, kWrite, {"NXM_NX_XXREG" #n})
    XXREG(0), XXREG(1), XXREG(2), XXREG(3),
#undef XXREG
    field(F::EthSrc, "eth_src", kWordEthSrc, 16, 48, Mac, Ethernet, kMask, kWrite, {"dl_src", "NXM_OF_ETH_SRC", "OXM_OF_ETH_SRC"}),
    field(F::EthDst, "eth_dst", kWordEthDst, 16, 48, Mac, Ethernet, kMask, kWrite, {"dl_dst", "NXM_OF_ETH_DST", "OXM_OF_ETH_DST"}),
    field(F::EthType, "eth_type", kWordL2, 16, 16, Hex, Ethernet, kNoMask, kRead, {"dl_type", "NXM_OF_ETH_TYPE", "OXM_OF_ETH_TYPE"}),
    field(F::VlanTci, "vlan_tci", kWordL2, 0, 16, Hex, Ethernet, kMask, kWrite, {"NXM_OF_VLAN_TCI"}),
    field(F::DlVlan, "dl_vlan", kWordL2, 0, 12, Decimal, Ethernet, kNoMask, kWrite),
    field(F::VlanVid, "vlan_vid", kWordL2, 0, 13, Decimal, Ethernet, kMask, kWrite, {"OXM_OF_VLAN_VID"}),
    field(F::DlVlanPcp, "dl_vlan_pcp", kWordL2, 13, 3, Decimal, Ethernet, kNoMask, kWrite),
    field(F::VlanPcp, "vlan_pcp", kWordL2, 13, 3, Decimal, Vlan, kNoMask, kWrite, {"OXM_OF_VLAN_PCP"}),
    field(F::VlanTpid, "vlan_tpid", kWordMpls2, 16, 16, Hex, Vlan, kNoMask, kRead),
    field(F::VlanTci1, "vlan_tci1", kWordCtZone, 0, 16, Hex, Ethernet, kMask, kRead),
    field(F::VlanTpid1, "vlan_tpid1", kWordMpls2, 0, 16, Hex, Vlan, kNoMask, kRead),
    field(F::MplsLabel, "mpls_label", kWordMpls, 44, 20, Decimal, Mpls, kNoMask, kWrite, {"OXM_OF_MPLS_LABEL"}),
    field(F::MplsTc, "mpls_tc", kWordMpls, 41, 3, Decimal, Mpls, kNoMask, kWrite, {"OXM_OF_MPLS_TC"}),
    field(F::MplsBos, "mpls_bos", kWordMpls, 40, 1, Decimal, Mpls, kNoMask, kRead, {"OXM_OF_MPLS_BOS"}),
    field(F::MplsTtl, "mpls_ttl", kWordMpls, 32, 8, Decimal, Mpls, kNoMask, kWrite, {"NXM_NX_MPLS_TTL"}),
    field(F::MplsLse1, "mpls_lse1", kWordMpls, 0, 32, Hex, Mpls, kNoMask, kRead),
    field(F::MplsLse2, "mpls_lse2", kWordMpls2, 32, 32, Hex, Mpls, kNoMask, kRead),
    field(F::IpSrc, "nw_src", kWordIp, 32, 32, Ipv4, Ip4, kMask, kWrite, {"ip_src", "NXM_OF_IP_SRC", "OXM_OF_IPV4_SRC"}),
    field(F::IpDst, "nw_dst", kWordIp, 0, 32, Ipv4, Ip4, kMask, kWrite, {"ip_dst", "NXM_OF_IP_DST", "OXM_OF_IPV4_DST"}),
    field(F::Ipv6Src, "ipv6_src", kWordIpv6, 0, 128, Ipv6, Ip6, kMask, kWrite, {"NXM_NX_IPV6_SRC", "OXM_OF_IPV6_SRC"}),
    field(F::Ipv6Dst, "ipv6_dst", kWordIpv6 + 2, 0, 128, Ipv6, Ip6, kMask, kWrite, {"NXM_NX_IPV6_DST", "OXM_OF_IPV6_DST"}),
    field(F::Ipv6Label, "ipv6_label", kWordNd2, 0, 20, Hex, Ip6, kMask, kWrite, {"NXM_NX_IPV6_LABEL", "OXM_OF_IPV6_FLABEL"}),
    field(F::NwProto, "nw_proto", kWordEthSrc, 0, 8, Decimal, Ip, kNoMask, kRead, {"ip_proto", "NXM_OF_IP_PROTO", "OXM_OF_IP_PROTO"}),
    field(F::NwTos, "nw_tos", kWordL4, 8, 8, Decimal, Ip, kNoMask, kWrite, {"NXM_OF_IP_TOS"}),
    field(F::IpDscp, "ip_dscp", kWordL4, 10, 6, Decimal, Ip, kNoMask, kWrite, {"OXM_OF_IP_DSCP"}),
    field(F::NwEcn, "nw_ecn", kWordL4, 8, 2, Decimal, Ip, kNoMask, kWrite, {"ip_ecn", "NXM_NX_IP_ECN", "OXM_OF_IP_ECN"}),
    field(F::NwTtl, "nw_ttl", kWordEthDst, 8, 8, Decimal, Ip, kNoMask, kWrite, {"NXM_NX_IP_TTL"}),
    field(F::IpFrag, "nw_frag", kWordEthDst, 0, 8, Frag, Ip, kMask, kRead, {"ip_frag", "NXM_NX_IP_FRAG"}),
    field(F::ArpOp, "arp_op", kWordEthSrc, 0, 16, Decimal, Arp, kNoMask, kWrite, {"NXM_OF_ARP_OP", "OXM_OF_ARP_OP"}),
    field(F::ArpSpa, "arp_spa", kWordIp, 32, 32, Ipv4, Arp, kMask, kWrite, {"NXM_OF_ARP_SPA", "OXM_OF_ARP_SPA"}),
    field(F::ArpTpa, "arp_tpa", kWordIp, 0, 32, Ipv4, Arp, kMask, kWrite, {"NXM_OF_ARP_TPA", "OXM_OF_ARP_TPA"}),
    field(F::ArpSha, "arp_sha", kWordArp, 16, 48, Mac, Arp, kMask, kWrite, {"NXM_NX_ARP_SHA", "OXM_OF_ARP_SHA"}),
    field(F::ArpTha, "arp_tha", kWordArp2, 16, 48, Mac, Arp, kMask, kWrite, {"NXM_NX_ARP_THA", "OXM_OF_ARP_THA"}),
    field(F::TcpSrc, "tcp_src", kWordL4, 48, 16, Decimal, Tcp, kMask, kWrite, {"tp_src", "NXM_OF_TCP_SRC", "OXM_OF_TCP_SRC"}),
    field(F::TcpDst, "tcp_dst", kWordL4, 32, 16, Decimal, Tcp, kMask, kWrite, {"tp_dst", "NXM_OF_TCP_DST", "OXM_OF_TCP_DST"}),
    field(F::TcpFlags, "tcp_flags", kWordL4, 16, 16, Format::TcpFlags, Tcp, kMask, kRead, {"NXM_NX_TCP_FLAGS", "ONFOXM_ET_TCP_FLAGS", "OXM_OF_TCP_FLAGS"}),
    field(F::UdpSrc, "udp_src", kWordL4, 48, 16, Decimal, Udp, kMask, kWrite, {"NXM_OF_UDP_SRC", "OXM_OF_UDP_SRC"}),
    field(F::UdpDst, "udp_dst", kWordL4, 32, 16, Decimal, Udp, kMask, kWrite, {"NXM_OF_UDP_DST", "OXM_OF_UDP_DST"}),
    field(F::SctpSrc, "sctp_src", kWordL4, 48, 16, Decimal, Sctp, kMask, kWrite, {"OXM_OF_SCTP_SRC"}),
    field(F::SctpDst, "sctp_dst", kWordL4, 32, 16, Decimal, Sctp, kMask, kWrite, {"OXM_OF_SCTP_DST"}),
    field(F::IcmpType, "icmp_type", kWordL4, 48, 8, Decimal, Icmp4, kNoMask, kWrite, {"NXM_OF_ICMP_TYPE", "OXM_OF_ICMPV4_TYPE"}),
    field(F::IcmpCode, "icmp_code", kWordL4, 32, 8, Decimal, Icmp4, kNoMask, kWrite, {"NXM_OF_ICMP_CODE", "OXM_OF_ICMPV4_CODE"}),
    field(F::Icmpv6Type, "icmpv6_type", kWordL4, 48, 8, Decimal, Icmp6, kNoMask, kWrite, {"NXM_NX_ICMPV6_TYPE", "OXM_OF_ICMPV6_TYPE"}),
    field(F::Icmpv6Code, "icmpv6_code", kWordL4, 32, 8, Decimal, Icmp6, kNoMask, kWrite, {"NXM_NX_ICMPV6_CODE", "OXM_OF_ICMPV6_CODE"}),
    field(F::NdTarget, "nd_target", kWordNd, 0, 128, Ipv6, Nd, kMask, kWrite, {"NXM_NX_ND_TARGET", "OXM_OF_IPV6_ND_TARGET"}),
    field(F::NdSll, "nd_sll", kWordArp, 16, 48, Mac, NdSolicit, kMask, kWrite, {"NXM_NX_ND_SLL", "OXM_OF_IPV6_ND_SLL"}),
    field(F::NdTll, "nd_tll", kWordArp2, 16, 48, Mac, NdAdvert, kMask, kWrite, {"NXM_NX_ND_TLL", "OXM_OF_IPV6_ND_TLL"}),
    field(F::NdReserved, "nd_reserved", kWordNd2, 32, 32, Decimal, Nd, kNoMask, kWrite, {"ERICOXM_OF_ICMPV6_ND_RESERVED"}),
    field(F::NdOptionsType, "nd_options_type", kWordArp2, 8, 8, Decimal, Nd, kNoMask, kWrite, {"ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE"}),
    field(F::NshFlags, "nsh_flags", kWordNsh, 56, 8, Decimal, Nsh, kMask, kWrite, {"NXOXM_NSH_FLAGS"}),
    field(F::NshMdtype, "nsh_mdtype", kWordNsh, 48, 8, Decimal, Nsh, kNoMask, kRead, {"NXOXM_NSH_MDTYPE"}),
    field(F::NshNp, "nsh_np", kWordNsh, 40, 8, Decimal, Nsh, kNoMask, kRead, {"NXOXM_NSH_NP"}),
    field(F::NshSpi, "nsh_spi", kWordNshSpi, 0, 24, Hex, Nsh, kNoMask, kWrite, {"nsp", "NXOXM_NSH_SPI"}),
    field(F::NshSi, "nsh_si", kWordNsh, 32, 8, Decimal, Nsh, kNoMask, kWrite, {"nsi", "NXOXM_NSH_SI"}),
    field(F::NshC1, "nsh_c1", kWordNshC, 32, 32, Hex, Nsh, kMask, kWrite, {"nshc1", "NXOXM_NSH_C1"}),
    field(F::NshC2, "nsh_c2", kWordNshC, 0, 32, Hex, Nsh, kMask, kWrite, {"nshc2", "NXOXM_NSH_C2"}),
    field(F::NshC3, "nsh_c3", kWordNshC + 1, 32, 32, Hex, Nsh, kMask, kWrite, {"nshc3", "NXOXM_NSH_C3"}),
    field(F::NshC4, "nsh_c4", kWordNshC + 1, 0, 32, Hex, Nsh, kMask, kWrite, {"nshc4", "NXOXM_NSH_C4"}),
    field(F::NshTtl, "nsh_ttl", kWordNsh, 24, 8, Decimal, Nsh, kNoMask, kWrite, {"NXOXM_NSH_TTL"}),
#define TUN_METADATA(n) field(F::TunMetadata##n, "tun_metadata" #n, kWordTunMetadata + n, 0, 64, Hex, None, kMask, kWrite, {"NXM_NX_TUN_METADATA" #n})
    TUN_METADATA(0), TUN_METADATA(1), TUN_METADATA(2), TUN_METADATA(3),
#undef TUN_METADATA
    field(F::TunMetadataPresent, "tun_metadata_present", kWordTunMetadata + 4, 0, 8, Hex, None, kMask, kRead),
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].id) != i) return false;
  }
  return true;
}
static_assert(in_order(), "kTable is indexed by FieldId");

}  // namespace field_table

}  // namespace dvrtrace::openflow
