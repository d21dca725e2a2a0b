#include "tracer/engine/question.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/openflow/match_reader.h"
#include "tracer/engine/outside.h"
#include "tracer/engine/walk.h"

namespace dvrtrace {
namespace {

using openflow::FieldId;

constexpr std::uint16_t kFirstEphemeralPort = 49152;
constexpr Mac kOutsideMac{0x02000000fffe};  // locally administered: of a host that no dump shows

struct ProtocolNumber {
  std::string_view name;
  std::uint8_t number;
};
constexpr ProtocolNumber kProtocols[] = {
    {"tcp", openflow::kProtoTcp}, {"udp", openflow::kProtoUdp}, {"sctp", openflow::kProtoSctp}};

class Choosing {
 public:
  Choosing(const Network& network, QuestionPorts& ports, const PacketSpec& spec, Endpoint& from, Endpoint& to)
      : network_(network), ports_(ports), spec_(spec), from_(from), to_(to) {}

  tl::expected<Packet, AskError> run() {
    if (auto error = make_packet()) return tl::unexpected(std::move(*error));
    return std::move(packet_);
  }

 private:
  // The addresses of both ends, of one family.
  std::optional<AskError> choose_addresses() {
    if (to_.kind == Endpoint::Kind::Outside && !to_.ip) to_.ip = outside_address(network_);
    if (from_.kind == Endpoint::Kind::Outside && !from_.ip) from_.ip = outside_address(network_);
    if (to_.kind == Endpoint::Kind::Vm && from_.port != kNowhere) {
      // Two VMs: the first family that both have.
      for (const Ip& ip : ports_->at(to_.port).ips) {
        if (to_.ip && to_.text == to_string(*to_.ip)) break;
        const auto same = std::ranges::find(ports_->at(from_.port).ips, ip.family, &Ip::family);
        if (same == ports_->at(from_.port).ips.end()) continue;
        to_.ip = ip;
        break;
      }
    }
    if (to_.kind == Endpoint::Kind::Namespace && !to_.ip) {
      const Namespace& netns = network_.host(to_.host).namespaces[to_.netns];
      for (const NetDevice& device : netns.devices) {
        for (const auto& address : device.link->value.addresses) {
          if (!to_.ip && !address.value.ip.loopback() && !address.value.ip.link_local())
            to_.ip = address.value.ip;
        }
      }
    }
    if (from_.port != kNowhere && to_.ip) {
      const auto& own = ports_->at(from_.port).ips;
      const auto same = std::ranges::find(own, to_.ip->family, &Ip::family);
      if (same != own.end() && (!from_.ip || from_.ip->family != to_.ip->family)) from_.ip = *same;
    }
    if (!to_.ip && spec_.protocol != "dhcp") {
      return AskError{
          AskError::Kind::UnknownEndpoint, fmt::format("no address of {} is in the dumps", to_.text), {}};
    }
    return std::nullopt;
  }

  std::optional<AskError> make_packet() {
    if (auto error = choose_addresses()) return error;
    const PacketSpec& spec = spec_;
    if (spec.src_ip && from_.port != kNowhere) ports_.use_address(from_.port, *spec.src_ip);
    packet_.size = spec.size.value_or(spec.protocol == "icmp" ? 84 : 60);
    packet_.df = spec.df;
    if (from_.port != kNowhere)
      packet_.set(FieldId::EthSrc, ports_->at(from_.port).mac.value);
    else
      packet_.set(FieldId::EthSrc, kOutsideMac.value);
    if (spec.protocol == "dhcp") {
      dhcp_packet();
    } else if (spec.protocol == "arp") {
      packet_ = arp_request(packet_.eth_src(), spec.src_ip.value_or(from_.ip.value_or(Ip{})), *to_.ip);
    } else {
      ip_packet(spec);
    }
    if (spec.src_mac) packet_.set(FieldId::EthSrc, spec.src_mac->value);
    if (spec.ttl) packet_.set(FieldId::NwTtl, *spec.ttl);
    return overridden();
  }

  void ip_packet(const PacketSpec& spec) {
    const bool v6 = to_.ip->v6();
    packet_.set(FieldId::EthType, v6 ? openflow::kTypeIpv6 : openflow::kTypeIpv4);
    packet_.set_ip_src(spec.src_ip.value_or(from_.ip.value_or(Ip{to_.ip->family, 0, 0})));
    packet_.set_ip_dst(*to_.ip);
    packet_.set(FieldId::NwTtl, 64);
    for (const ProtocolNumber& protocol : kProtocols) {
      if (protocol.name != spec.protocol) continue;
      packet_.set(FieldId::NwProto, protocol.number);
      packet_.set(FieldId::TcpSrc, spec.src_port.value_or(kFirstEphemeralPort));
      packet_.set(FieldId::TcpDst, spec.dst_port.value_or(0));
      if (protocol.number == openflow::kProtoTcp)
        packet_.set(FieldId::TcpFlags, spec.established ? 0x010 : 0x002);
      return;
    }
    packet_.set(FieldId::NwProto, v6 ? openflow::kProtoIcmpv6 : openflow::kProtoIcmp);
    packet_.set(FieldId::IcmpType, v6 ? 128 : 8);
  }

  void dhcp_packet() {
    packet_.set(FieldId::EthDst, kBroadcastMac.value);
    packet_.set(FieldId::EthType, openflow::kTypeIpv4);
    packet_.set(FieldId::NwProto, openflow::kProtoUdp);
    packet_.set(FieldId::NwTtl, 128);  // as ISC's dhclient sends it
    packet_.set_ip_dst(ipv4(0xffffffff));
    packet_.set(FieldId::UdpSrc, 68);
    packet_.set(FieldId::UdpDst, 67);
    packet_.size = 328;
  }

  std::optional<AskError> overridden() {
    if (spec_.flow.empty()) return std::nullopt;
    openflow::Names names;
    std::optional<openflow::ReadError> error;
    const openflow::Match match = openflow::read_match(spec_.flow, names, error);
    if (error)
      return AskError{AskError::Kind::BadPacket, fmt::format("'{}': {}", spec_.flow, error->message), {}};
    for (const openflow::MatchWord& word : match.words)
      packet_.key.words[word.index] = (packet_.key.words[word.index] & ~word.mask) | word.value;
    return std::nullopt;
  }

  const Network& network_;
  QuestionPorts& ports_;
  const PacketSpec& spec_;
  Endpoint &from_, &to_;
  Packet packet_;
};

}  // namespace

tl::expected<Packet, AskError> packet_of(const Network& network, QuestionPorts& ports, const PacketSpec& spec,
                                         Endpoint& from, Endpoint& to) {
  return Choosing(network, ports, spec, from, to).run();
}

}  // namespace dvrtrace
