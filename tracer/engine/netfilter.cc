#include "tracer/engine/netfilter.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/overloaded.h"
#include "src/base/text.h"
#include "tracer/engine/ipset.h"
#include "tracer/engine/routing.h"

namespace dvrtrace {

using namespace kernel;
using openflow::FieldId;

namespace {

constexpr int kMaxDepth = 64;  // of jumps; the kernel's stack is of this order

bool wildcard(std::string_view pattern, std::string_view device) {
  if (!pattern.empty() && pattern.back() == '+')
    return device.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == device;
}

bool has_ports(std::uint8_t protocol) {
  return protocol == openflow::kProtoTcp || protocol == openflow::kProtoUdp ||
         protocol == openflow::kProtoSctp;
}

std::string with_port(const Ip& ip, std::optional<std::uint16_t> port) {
  if (!port) return to_string(ip);
  return ip.v6() ? fmt::format("[{}]:{}", to_string(ip), *port) : fmt::format("{}:{}", to_string(ip), *port);
}

}  // namespace

const Iptables* Netfilter::rules(const Packet& packet) const {
  if (netns_.dumps == nullptr) return nullptr;
  const auto& part =
      packet.eth_type() == openflow::kTypeIpv6 ? netns_.dumps->iptables6 : netns_.dumps->iptables4;
  if (!part.present()) {
    recorder_.assume(
        "ASSUME_NO_IPTABLES",
        fmt::format("no iptables rules of {} on {} are in the snapshot: it is taken to have none",
                    netns_.name.empty() ? "the root namespace" : netns_.name, host_.name));
    return nullptr;
  }
  return &part.value;
}

bool Netfilter::complete(const Packet& packet) const {
  return packet.eth_type() == openflow::kTypeIpv6 ? netns_.dumps->iptables6.complete()
                                                  : netns_.dumps->iptables4.complete();
}

HookVerdict Netfilter::table(std::string_view table_name, std::string_view chain_name, Packet& packet,
                             HookContext& context) {
  const Iptables* all = rules(packet);
  const IptablesTable* found = all == nullptr ? nullptr : all->find(table_name);
  const Chain* first = found == nullptr ? nullptr : found->find(chain_name);
  if (all != nullptr && found == nullptr &&
      !complete(packet)) {  // a dump of some tables says nothing of the others
    recorder_.assume(
        "ASSUME_NO_IPTABLES",
        fmt::format("the iptables table {} of {} on {} is not in the snapshot: it is taken to be empty",
                    table_name, netns_.name.empty() ? "the root namespace" : netns_.name, host_.name));
  }
  if (first == nullptr) return HookVerdict::Accept;
  Outcome outcome = chain(*found, *first, packet, context, 0);
  if (outcome == Outcome::Continue || outcome == Outcome::Return) {
    if (first->policy_accept.value_or(true)) return HookVerdict::Accept;
    recorder_.step(hop_, ChainHit{found->name, first->name, "policy", "DROP", first->at});
    recorder_.stop(hop_, Verdict::Dropped, Reason::FilterDrop,
                   fmt::format("the policy of {} {} is DROP", found->name, first->name), {}, first->at);
    return HookVerdict::Drop;
  }
  if (outcome == Outcome::Drop) return HookVerdict::Drop;
  return outcome == Outcome::Unknown ? HookVerdict::Unknown : HookVerdict::Accept;
}

Netfilter::Outcome Netfilter::chain(const IptablesTable& table, const Chain& chain, Packet& packet,
                                    HookContext& context, int depth) {
  if (depth > kMaxDepth) {
    recorder_.stop(hop_, Verdict::Unknown, Reason::LineNotUnderstood,
                   fmt::format("the chains of {} jump in a circle at {}", table.name, chain.name), {},
                   chain.at);
    return Outcome::Unknown;
  }
  for (const auto& rule : chain.rules) {
    std::string obstacle;
    const Truth truth = matches(rule.value, packet, context, obstacle);
    if (truth == Truth::No) continue;
    if (truth == Truth::Unknown) {
      const bool harmless = std::holds_alternative<NoTarget>(rule.value.target) ||
                            std::holds_alternative<Harmless>(rule.value.target);
      if (harmless) continue;
      const std::string needs =
          obstacle.starts_with("ipset") ? in_namespace(netns_, host_.name, "ipset list") : "";
      recorder_.stop(
          hop_, Verdict::Unknown, needs.empty() ? Reason::LineNotUnderstood : Reason::HiddenState,
          fmt::format("whether a rule of {} {} matches cannot be told: {}", table.name, chain.name, obstacle),
          needs, rule.at);
      return Outcome::Unknown;
    }
    const Outcome outcome = target(table, chain, rule, packet, context, depth);
    if (outcome != Outcome::Continue) return outcome;
  }
  if (!table.complete) {
    recorder_.stop(hop_, Verdict::Unknown, Reason::LineNotUnderstood,
                   fmt::format("a line of the table {} was not understood and might decide", table.name), {},
                   chain.at);
    return Outcome::Unknown;
  }
  return Outcome::Continue;
}

void Netfilter::hit(const IptablesTable& table, const Chain& chain, const Sourced<IptablesRule>& rule,
                    std::string target) {
  if (!recorder_.keeps_steps()) return;
  recorder_.step(hop_, ChainHit{table.name, chain.name, std::string(trim(network_.sources().bytes(rule.at))),
                                std::move(target), rule.at});
}

Netfilter::Outcome Netfilter::drop(const IptablesTable& table, const Chain& chain,
                                   const Sourced<IptablesRule>& rule) {
  hit(table, chain, rule, "DROP");
  // Neutron's chains say by their names what they drop for.
  Reason reason = Reason::FilterDrop;
  std::string text = fmt::format("{} {} drops it", table.name, chain.name);
  if (chain.name.ends_with("-scope")) {
    reason = Reason::AddressScope;
    text = "the address scope mark does not fit the outgoing device";
  } else if (chain.name.find("sg-fallback") != std::string::npos) {
    reason = Reason::SecurityGroup;
    text = "no security group rule admits it";
  } else if (const std::size_t name = chain.name.rfind("-s"); name != std::string::npos &&
                                                              chain.name.starts_with("neutron-") &&
                                                              chain.name.size() > name + 9) {
    reason = Reason::PortSecurity;
    text = "port security: the source is not an address of this port";
  }
  recorder_.stop(hop_, Verdict::Dropped, reason, std::move(text), {}, rule.at);
  return Outcome::Drop;
}

Netfilter::Outcome Netfilter::target(const IptablesTable& table, const Chain& chain_,
                                     const Sourced<IptablesRule>& rule, Packet& packet, HookContext& context,
                                     int depth) {
  return std::visit(
      overloaded{
          [&](const NoTarget&) { return Outcome::Continue; },
          [&](const Accept&) {
            if (table.name != "filter") hit(table, chain_, rule, "ACCEPT");
            return Outcome::Accept;
          },
          [&](const Drop&) { return drop(table, chain_, rule); },
          [&](const Reject& a) {
            hit(table, chain_, rule, "REJECT " + a.with);
            rejected_with_ = a.with;
            recorder_.stop(hop_, Verdict::Dropped, Reason::FilterDrop,
                           fmt::format("{} {} rejects it", table.name, chain_.name), {}, rule.at);
            return Outcome::Drop;
          },
          [&](const Return&) { return Outcome::Return; },
          [&](const Jump& a) {
            const Chain* next = table.find(a.chain);
            if (next == nullptr) {
              recorder_.stop(hop_, Verdict::Unknown, Reason::LineNotUnderstood,
                             fmt::format("the chain {} of {} is not in the dump", a.chain, table.name), {},
                             rule.at);
              return Outcome::Unknown;
            }
            const Outcome outcome = chain(table, *next, packet, context, depth + 1);
            if (outcome == Outcome::Continue || outcome == Outcome::Return)
              return a.go ? Outcome::Return : Outcome::Continue;
            return outcome;
          },
          [&](const NatTo& a) {
            hit(table, chain_, rule, a.destination ? "DNAT" : "SNAT");
            begin_nat(a, packet, context, rule.at);
            return Outcome::Accept;
          },
          [&](const Redirect& a) {
            hit(table, chain_, rule, "REDIRECT");
            NatTo nat{true, {}, {}, a.ports, {}};
            const std::size_t device = netns_.find(context.in);
            if (context.in.empty())
              nat.first = packet.eth_type() == openflow::kTypeIpv6 ? ipv6(0, 1) : ipv4(0x7f000001);
            if (device != kNowhere) {
              for (const auto& address : netns_.devices[device].link->value.addresses) {
                if (address.value.ip.family == packet.ip_dst().family && !nat.first)
                  nat.first = address.value.ip;
              }
            }
            nat.last = nat.first;
            begin_nat(nat, packet, context, rule.at);
            return Outcome::Accept;
          },
          [&](const Masquerade& a) {
            hit(table, chain_, rule, "MASQUERADE");
            NatTo nat{false, {}, {}, a.ports, {}};
            const std::size_t device = netns_.find(context.out);
            if (device != kNowhere) {
              for (const auto& address : netns_.devices[device].link->value.addresses) {
                if (address.value.ip.family == packet.ip_src().family && !nat.first)
                  nat.first = address.value.ip;
              }
            }
            nat.last = nat.first;
            begin_nat(nat, packet, context, rule.at);
            return Outcome::Accept;
          },
          [&](const Netmap& a) {
            hit(table, chain_, rule, "NETMAP");
            const bool destination = chain_.name != "POSTROUTING" && context.out.empty();
            Ip ip = destination ? packet.ip_dst() : packet.ip_src();
            const std::uint64_t host_bits =
                a.to.ip().v4() ? openflow::ones64(32 - a.to.length())
                               : openflow::ones64(a.to.length() >= 64 ? 128 - a.to.length() : 64);
            ip = Ip{a.to.ip().family, a.to.ip().high, a.to.ip().low | (ip.low & host_bits)};
            begin_nat({destination, ip, ip, {}, {}}, packet, context, rule.at);
            return Outcome::Accept;
          },
          [&](const SetMark& a) {
            packet.mark = (packet.mark & ~a.clear) ^ a.flip;
            hit(table, chain_, rule, fmt::format("MARK {:#x}", packet.mark));
            return Outcome::Continue;
          },
          [&](const ConnMark& a) {
            if (context.tracked.kind == TrackedState::Kind::Invalid ||
                context.tracked.kind == TrackedState::Kind::Untracked)
              return Outcome::Continue;
            TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
            switch (a.operation) {
              case ConnMark::Operation::Set:
                connection.mark = (connection.mark & ~a.clear) ^ a.flip;
                break;
              case ConnMark::Operation::Save:
                connection.mark = (connection.mark & ~a.ctmask) ^ (packet.mark & a.nfmask);
                break;
              case ConnMark::Operation::Restore:
                packet.mark = (packet.mark & ~a.nfmask) ^ (connection.mark & a.ctmask);
                break;
            }
            return Outcome::Continue;
          },
          [&](const Ct& a) {
            hit(table, chain_, rule,
                a.notrack ? "CT notrack" : fmt::format("CT zone {}", a.zone.value_or(0)));
            context.notrack = context.notrack || a.notrack;
            if (a.zone) context.zone = *a.zone;
            return Outcome::Continue;
          },
          [&](const Harmless&) { return Outcome::Continue; },
          [&](const UnmodelledTarget& a) {
            recorder_.stop(
                hop_, Verdict::Unknown, Reason::LineNotUnderstood,
                fmt::format("the target {} of {} {} is not modelled", a.text, table.name, chain_.name), {},
                rule.at);
            return Outcome::Unknown;
          },
      },
      rule.value.target);
}

// --- matches -------------------------------------------------------------------------------------------------

Netfilter::Truth Netfilter::matches(const IptablesRule& rule, const Packet& packet,
                                    const HookContext& context, std::string& obstacle) const {
  Truth all = Truth::Yes;
  for (const Match& match : rule.matches) {
    const Truth truth = matches(match, packet, context, obstacle);
    if (truth == Truth::No) return Truth::No;
    if (truth == Truth::Unknown) all = Truth::Unknown;
  }
  return all;
}

Netfilter::Truth Netfilter::matches(const Match& match, const Packet& packet, const HookContext& context,
                                    std::string& obstacle) const {
  const auto is = [](bool truth, bool inverted) { return truth != inverted ? Truth::Yes : Truth::No; };
  const std::uint8_t protocol = packet.protocol();
  const bool first_fragment = (packet.get(FieldId::IpFrag) & openflow::kFragLater) == 0;
  const auto in_ranges = [](const std::vector<PortRange>& ranges, std::uint64_t port) {
    return std::ranges::any_of(
        ranges, [&](const PortRange& range) { return port >= range.first && port <= range.last; });
  };
  return std::visit(
      overloaded{
          [&](const AddressMatch& m) {
            return is(m.prefix.contains(m.source ? packet.ip_src() : packet.ip_dst()), m.inverted);
          },
          [&](const RangeMatch& m) {
            const Ip ip = m.source ? packet.ip_src() : packet.ip_dst();
            return is(m.first <= ip && ip <= m.last, m.inverted);
          },
          [&](const DeviceMatch& m) {
            return is(wildcard(m.device, m.in ? context.in : context.out), m.inverted);
          },
          [&](const ProtocolMatch& m) { return is(m.protocol == protocol, m.inverted); },
          [&](const PortMatch& m) {
            if (!has_ports(protocol) || !first_fragment) return Truth::No;
            const bool source = m.source && in_ranges(m.ports, packet.get(FieldId::TcpSrc));
            const bool destination = m.destination && in_ranges(m.ports, packet.get(FieldId::TcpDst));
            return is(source || destination, m.inverted);
          },
          [&](const IcmpMatch& m) {
            if (protocol != openflow::kProtoIcmp && protocol != openflow::kProtoIcmpv6) return Truth::No;
            const std::uint64_t code = packet.get(FieldId::IcmpCode);
            return is(m.any || (packet.get(FieldId::IcmpType) == m.type && code >= m.code_first &&
                                code <= m.code_last),
                      m.inverted);
          },
          [&](const TcpFlagsMatch& m) {
            if (protocol != openflow::kProtoTcp || !first_fragment) return Truth::No;
            return is((packet.get(FieldId::TcpFlags) & m.mask) == m.flags, m.inverted);
          },
          [&](const CtStateMatch& m) {
            std::uint16_t state = 0;
            switch (context.tracked.kind) {
              case TrackedState::Kind::New:
                state = kCtNew;
                break;
              case TrackedState::Kind::Established:
                state = kCtEstablished;
                break;
              case TrackedState::Kind::Related:
                state = kCtRelated;
                break;
              case TrackedState::Kind::Invalid:
                state = kCtInvalid;
                break;
              case TrackedState::Kind::Untracked:
                state = kCtUntracked;
                break;
            }
            if (context.tracked.kind != TrackedState::Kind::Invalid &&
                context.tracked.kind != TrackedState::Kind::Untracked) {
              const TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
              if (connection.source_nat) state |= kCtSnat;
              if (connection.destination_nat) state |= kCtDnat;
            }
            return is((state & m.states) != 0, m.inverted);
          },
          [&](const MarkMatch& m) {
            std::uint32_t mark = packet.mark;
            if (m.connection) {
              if (context.tracked.kind == TrackedState::Kind::Untracked ||
                  context.tracked.kind == TrackedState::Kind::Invalid)
                return Truth::No;
              mark = session_.conntrack.at(context.tracked.connection).mark;
            }
            return is((mark & m.mask) == m.value, m.inverted);
          },
          [&](const MacMatch& m) { return is(packet.eth_src() == m.mac, m.inverted); },
          [&](const PhysdevMatch& m) {
            if (!m.in.empty() && is(wildcard(m.in, context.physdev_in), m.in_inverted) == Truth::No)
              return Truth::No;
            if (!m.out.empty() && is(wildcard(m.out, context.physdev_out), m.out_inverted) == Truth::No)
              return Truth::No;
            if (m.is_bridged && *m.is_bridged != context.bridged) return Truth::No;
            if (m.is_in && *m.is_in != !context.physdev_in.empty()) return Truth::No;
            if (m.is_out && *m.is_out != !context.physdev_out.empty()) return Truth::No;
            return Truth::Yes;
          },
          [&](const SetMatch& m) { return in_set(m, packet, obstacle); },
          [&](const AddrtypeMatch& m) { return address_type(m, packet, obstacle); },
          [&](const FragmentMatch& m) { return is(!first_fragment, m.inverted); },
          [&](const RpfilterMatch&) {
            obstacle = "rpfilter is not modelled";
            return Truth::Unknown;
          },
          [&](const CommentMatch&) { return Truth::Yes; },
          [&](const LimitMatch&) { return Truth::Yes; },
          [&](const UnmodelledMatch& m) {
            obstacle = fmt::format("the match {} is not modelled", m.text);
            return Truth::Unknown;
          },
      },
      match);
}

Netfilter::Truth Netfilter::in_set(const SetMatch& match, const Packet& packet, std::string& obstacle) const {
  if (netns_.dumps == nullptr || !netns_.dumps->ipsets.present()) {
    obstacle = fmt::format("ipset {} is in no dump", match.set);
    return Truth::Unknown;
  }
  const auto set = std::ranges::find(netns_.dumps->ipsets.value, match.set, &Ipset::name);
  if (set == netns_.dumps->ipsets.value.end()) {
    obstacle = fmt::format("ipset {} is in no dump", match.set);
    return Truth::Unknown;
  }
  const auto member = holds(netns_.dumps->ipsets.value, *set, match.source, packet);
  if (!member) {
    obstacle = fmt::format("ipset {} of type {} is not judged", match.set, set->type);
    return Truth::Unknown;
  }
  if (!*member && !netns_.dumps->ipsets.complete()) {
    obstacle = fmt::format("ipset {} is not whole in the dump", match.set);
    return Truth::Unknown;
  }
  return *member != match.inverted ? Truth::Yes : Truth::No;
}

Netfilter::Truth Netfilter::address_type(const AddrtypeMatch& match, const Packet& packet,
                                         std::string& obstacle) const {
  const auto type = [&](const Ip& ip) -> std::string_view {
    if (netns_.addresses.contains(ip) || ip.loopback()) return "LOCAL";
    if (ip.multicast()) return "MULTICAST";
    if (ip.v4() && ip.low == 0xffffffff) return "BROADCAST";
    for (const NetDevice& device : netns_.devices) {
      for (const auto& address : device.link->value.addresses) {
        const Prefix network = address.value.network();
        if (ip.v4() && network.ip().v4() && network.length() < 31 && network.contains(ip) &&
            (ip.low | ~std::uint64_t{0} << (32 - network.length())) == ~std::uint64_t{0}) {
          return "BROADCAST";
        }
      }
    }
    return "UNICAST";
  };
  const auto listed = [&](const std::string& types, const Ip& ip) {
    const std::string_view actual = type(ip);
    return std::ranges::any_of(split(types, ','),
                               [&](std::string_view wanted) { return trim(wanted) == actual; });
  };
  if (match.limit_iface_in || match.limit_iface_out) {
    obstacle = "addrtype with --limit-iface is not modelled";
    return Truth::Unknown;
  }
  if (!match.source_type.empty() && listed(match.source_type, packet.ip_src()) == match.source_inverted)
    return Truth::No;
  if (!match.destination_type.empty() &&
      listed(match.destination_type, packet.ip_dst()) == match.destination_inverted)
    return Truth::No;
  return Truth::Yes;
}

// --- connections and NAT ---------------------------------------------------------------------------------------

void Netfilter::track(Packet& packet, HookContext& context) {
  // The kernel does not track what neighbours and multicast routers say to each other.
  const std::uint64_t icmp_type = packet.get(FieldId::IcmpType);
  const bool between_neighbours = packet.protocol() == openflow::kProtoIcmpv6 &&
                                  ((icmp_type >= 130 && icmp_type <= 137) || icmp_type == 143);
  if (context.notrack || between_neighbours) {
    context.tracked = {TrackedState::Kind::Untracked};
    return;
  }
  const Conntrack::Dump* dump = netns_.dumps == nullptr ? nullptr : &netns_.dumps->connections.value;
  context.tracked = session_.conntrack.track(host_.name + " " + netns_.name, context.zone, packet, dump);
  if (context.tracked.kind == TrackedState::Kind::Established ||
      context.tracked.kind == TrackedState::Kind::New) {
    const TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
    if (connection.at.known())
      recorder_.note(hop_, "of a connection that the namespace knows", connection.at);
  }
  if (context.tracked.assumed) {
    const bool fresh = context.tracked.kind == TrackedState::Kind::New;
    recorder_.assume(fresh ? "ASSUME_CT_NEW" : "ASSUME_CT_ESTABLISHED",
                     fresh ? "the packet is the first of its connection"
                           : "the connection is established already, as asked");
  }
}

bool Netfilter::nat_pending(const HookContext& context, bool destination_side) {
  if (context.tracked.kind != TrackedState::Kind::New &&
      context.tracked.kind != TrackedState::Kind::Established)
    return false;
  const TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
  // What an old connection was translated to, no dump says: it is taken to be what the rules say now.
  const bool decides = connection.assumed
                           ? !context.tracked.reply
                           : !connection.confirmed && context.tracked.kind == TrackedState::Kind::New;
  return decides && !(destination_side ? connection.destination_nat : connection.source_nat);
}

void Netfilter::begin_nat(const NatTo& nat, Packet& packet, HookContext& context, const Provenance& at) {
  if (context.tracked.kind == TrackedState::Kind::Untracked ||
      context.tracked.kind == TrackedState::Kind::Invalid)
    return;
  TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
  const bool ports = has_ports(packet.protocol());
  const Ip ip = nat.first.value_or(nat.destination ? packet.ip_dst() : packet.ip_src());
  const std::uint16_t old_port =
      static_cast<std::uint16_t>(packet.get(nat.destination ? FieldId::TcpDst : FieldId::TcpSrc));
  std::uint16_t port = old_port;
  if (ports && nat.ports && nat.port_base)
    port = static_cast<std::uint16_t>(nat.ports->first + (old_port - *nat.port_base));
  else if (ports && nat.ports && (old_port < nat.ports->first || old_port > nat.ports->last))
    port = nat.ports->first;
  if (nat.destination) {
    connection.reply.source = ip;
    if (ports) connection.reply.source_port = port;
    connection.destination_nat = true;
  } else {
    connection.reply.destination = ip;
    if (ports) connection.reply.destination_port = port;
    connection.source_nat = true;
  }
  if (nat.first && nat.last && *nat.first != *nat.last)
    recorder_.assume("ASSUME_NAT_FIRST_OF_RANGE", "of a range of NAT addresses the first is taken");
  const Ip before = nat.destination ? packet.ip_dst() : packet.ip_src();
  recorder_.step(hop_, Translated{nat.destination ? "destination" : "source",
                                  with_port(before, ports ? std::optional(old_port) : std::nullopt),
                                  with_port(ip, ports ? std::optional(port) : std::nullopt), at});
  if (nat.destination)
    packet.set_ip_dst(ip);
  else
    packet.set_ip_src(ip);
  if (ports) packet.set(nat.destination ? FieldId::TcpDst : FieldId::TcpSrc, port);
}

// A packet of a known connection: as its first packet's NAT says, in reverse for the reply.
void Netfilter::translate(Packet& packet, const HookContext& context, bool destination_side) {
  if (context.tracked.kind == TrackedState::Kind::Untracked ||
      context.tracked.kind == TrackedState::Kind::Invalid)
    return;
  const TrackedConnection& connection = session_.conntrack.at(context.tracked.connection);
  if (!connection.confirmed || (!connection.source_nat && !connection.destination_nat)) return;
  const bool reply = context.tracked.reply;
  // What the other side of the connection is called here.
  const Tuple wanted = reply ? inverse(connection.original) : inverse(connection.reply);
  const Ip ip = destination_side ? wanted.destination : wanted.source;
  const Ip before = destination_side ? packet.ip_dst() : packet.ip_src();
  // An error quotes the packet as its sender had it.
  if (packet.quoted && destination_side) packet.quoted = reply ? connection.original : connection.reply;
  const bool ports = has_ports(packet.protocol()) && !packet.quoted;
  const std::uint16_t port = destination_side ? wanted.destination_port : wanted.source_port;
  const FieldId field = destination_side ? FieldId::TcpDst : FieldId::TcpSrc;
  const auto old_port = static_cast<std::uint16_t>(packet.get(field));
  if (packet.quoted && !destination_side &&
      before != (reply ? connection.reply.source : connection.original.source))
    return;  // the error's own sender
  if (ip == before && (!ports || port == old_port)) return;
  recorder_.step(hop_, Translated{destination_side ? "destination" : "source",
                                  with_port(before, ports ? std::optional(old_port) : std::nullopt),
                                  with_port(ip, ports ? std::optional(port) : std::nullopt),
                                  {}});
  if (destination_side)
    packet.set_ip_dst(ip);
  else
    packet.set_ip_src(ip);
  if (ports) packet.set(field, port);
}

// --- hooks -------------------------------------------------------------------------------------------------------

HookVerdict Netfilter::prerouting(Packet& packet, HookContext& context) {
  if (const auto verdict = table("raw", "PREROUTING", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  track(packet, context);
  if (const auto verdict = table("mangle", "PREROUTING", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  if (nat_pending(context, true)) return table("nat", "PREROUTING", packet, context);
  translate(packet, context, true);
  return HookVerdict::Accept;
}

HookVerdict Netfilter::input(Packet& packet, HookContext& context) {
  if (const auto verdict = table("mangle", "INPUT", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  if (const auto verdict = table("filter", "INPUT", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  confirm(context);
  return HookVerdict::Accept;
}

HookVerdict Netfilter::forward(Packet& packet, HookContext& context) {
  if (const auto verdict = table("mangle", "FORWARD", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  return table("filter", "FORWARD", packet, context);
}

HookVerdict Netfilter::output(Packet& packet, HookContext& context) {
  if (const auto verdict = table("raw", "OUTPUT", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  track(packet, context);
  if (const auto verdict = table("mangle", "OUTPUT", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  if (nat_pending(context, true)) {
    if (const auto verdict = table("nat", "OUTPUT", packet, context); verdict != HookVerdict::Accept)
      return verdict;
  } else {
    translate(packet, context, true);
  }
  return table("filter", "OUTPUT", packet, context);
}

HookVerdict Netfilter::postrouting(Packet& packet, HookContext& context) {
  if (const auto verdict = table("mangle", "POSTROUTING", packet, context); verdict != HookVerdict::Accept)
    return verdict;
  if (nat_pending(context, false)) {
    if (const auto verdict = table("nat", "POSTROUTING", packet, context); verdict != HookVerdict::Accept)
      return verdict;
  } else {
    translate(packet, context, false);
  }
  confirm(context);
  return HookVerdict::Accept;
}

void Netfilter::confirm(const HookContext& context) {
  if (context.tracked.kind == TrackedState::Kind::New ||
      context.tracked.kind == TrackedState::Kind::Established) {
    session_.conntrack.confirm(context.tracked.connection);
  }
}

}  // namespace dvrtrace
