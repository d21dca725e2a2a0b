// A namespace: what Linux's IP does with a packet that comes in by a device, or that it makes itself
// (ip_rcv, ip_forward, ip_output and their netfilter hooks).
#include <fmt/format.h>

#include <algorithm>

#include "src/kernel/print.h"
#include "tracer/engine/fill.h"
#include "tracer/engine/walk.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

Place namespace_place(const Host& host, const Namespace& netns) {
  return {PlaceKind::Namespace, host.name, netns.name.empty() ? "root" : netns.name};
}

std::string title(const Namespace& netns) {
  return netns.name.empty() ? std::string("the root namespace") : netns.name;
}

RouteQuery query_for(const Packet& packet, const std::string& iif) {
  RouteQuery query{packet.ip_src(),
                   packet.ip_dst(),
                   iif,
                   "",
                   packet.mark,
                   static_cast<std::uint8_t>(packet.get(FieldId::NwTos)),
                   packet.protocol(),
                   0,
                   0};
  if (packet.protocol() == openflow::kProtoTcp || packet.protocol() == openflow::kProtoUdp) {
    query.source_port = static_cast<std::uint16_t>(packet.get(FieldId::TcpSrc));
    query.destination_port = static_cast<std::uint16_t>(packet.get(FieldId::TcpDst));
  }
  return query;
}

}  // namespace

void Walk::at_namespace(const Item& item) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[item.device];
  const std::size_t hop =
      begin_hop(item, namespace_place(host, netns), Device{netns.name, device.name(), std::nullopt});
  if (filled_in(netns)) recorder_.direction.hops[hop].origin = Origin::Reference;
  if (seen_before(hop))
    return recorder_.stop(hop, Verdict::Looped, Reason::Loop,
                          fmt::format("the same packet was at {} before", device.name()));
  const Mac destination = item.packet.eth_dst();
  const bool loopback = device.behind == Behind::Loopback;
  if (!loopback && !destination.multicast() && device.link->value.mac &&
      destination != *device.link->value.mac) {
    return recorder_.stop(
        hop, Verdict::Dropped, Reason::NotForThisHost,
        fmt::format("the frame is for {}, {} has {}: the kernel ignores it", to_string(destination),
                    device.name(), to_string(*device.link->value.mac)));
  }
  if ((item.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) != 0) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost,
                          fmt::format("no VLAN device of {} takes VLAN {}", title(netns),
                                      item.packet.get(FieldId::VlanTci) & 0xfff));
  }
  if (const auto target = asked_for(item.packet)) return namespace_is_asked(item, hop, *target);
  if (const auto told = answer_in(item.packet))
    return namespace_is_told(item, hop, told->first, told->second);
  if (!item.packet.ip())
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForwarded, "not an IP packet");
  if (item.packet.inner != nullptr && netns.addresses.contains(item.packet.ip_dst()))
    return decapsulate(item.host, item.packet, hop, {});

  Packet packet = item.packet;
  packet.mark = 0;
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  HookContext context;
  context.in = device.name();
  if (netfilter.prerouting(packet, context) != HookVerdict::Accept) return;
  const bool to_all =
      packet.ip_dst().multicast() || (packet.ip_dst().v4() && packet.ip_dst().low == 0xffffffff);
  RouteDecision decision;
  if (to_all) {
    decision.kind = RouteDecision::Kind::Local;
    decision.broadcast = true;
  } else {
    decision = route(netns, host.name, query_for(packet, device.name()));
  }
  if (!record_route(hop, netns, host, decision)) return route_error(item, packet, decision);
  const bool local = decision.kind == RouteDecision::Kind::Local;
  if (!to_all) {
    if (const auto refused =
            refused_source(netns, host.name, device.name(), local ? "lo" : decision.nexthop.device,
                           packet.ip_src(), packet.ip_dst())) {
      return recorder_.stop(hop, Verdict::Dropped, Reason::ReversePathFilter, *refused);
    }
  }
  if (local) return deliver_local(item, hop, std::move(packet), context, decision);
  forward(item, hop, std::move(packet), context, decision);
}

// Writes down what decided, and stops the hop when it leads nowhere.
bool Walk::record_route(std::size_t hop, const Namespace& netns, const Host& host,
                        const RouteDecision& decision) {
  const bool shown = recorder_.keeps_steps();
  for (const kernel::RouteTable passed : decision.passed)
    recorder_.note(hop, [&] { return fmt::format("table {}: no route", kernel::route_table_name(passed)); });
  if (decision.rule != nullptr)
    recorder_.step(hop, RuleHit{decision.rule->value.priority,
                                shown ? kernel::to_string(decision.rule->value) : "", decision.rule->at});
  if (decision.route != nullptr && shown) {
    recorder_.step(hop, RouteHit{kernel::route_table_name(decision.route->value.table),
                                 kernel::to_string(decision.route->value), decision.route->at});
  }
  if (decision.multipath) {
    std::string others;
    for (const kernel::Nexthop& each : decision.route->value.nexthops) {
      if (each == decision.nexthop) continue;
      others += fmt::format("{}{}{}", others.empty() ? "" : ", ",
                            each.via ? to_string(*each.via) + " by " : "", each.device);
    }
    recorder_.note(hop, fmt::format("other packets take the route's other nexthops: {}", others),
                   decision.route->at);
  }
  if (decision.multipath)
    recorder_.assume("ASSUME_MULTIPATH_FIRST",
                     "of several nexthops of one route the first usable one is taken");
  const Provenance at = decision.route != nullptr  ? decision.route->at
                        : decision.rule != nullptr ? decision.rule->at
                                                   : Provenance{};
  const auto stop = [&](Verdict verdict, Reason reason, auto words, std::string needs = {}) {
    recorder_.stop(hop, verdict, reason, std::move(words), std::move(needs), at);
    return false;
  };
  switch (decision.kind) {
    case RouteDecision::Kind::Route:
    case RouteDecision::Kind::Local:
      return true;
    case RouteDecision::Kind::NoRoute:
      return stop(Verdict::Dropped, Reason::NoRoute,
                  [&] { return fmt::format("{} of {} has no route", title(netns), host.name); });
    case RouteDecision::Kind::Unreachable:
      return stop(Verdict::Dropped, Reason::UnreachableRoute, "the route says unreachable");
    case RouteDecision::Kind::Prohibit:
      return stop(Verdict::Dropped, Reason::ProhibitRoute, "the route says prohibit");
    case RouteDecision::Kind::Blackhole:
      return stop(Verdict::Dropped, Reason::BlackholeRoute, "the route is a blackhole");
    case RouteDecision::Kind::Unknown:
      return stop(Verdict::Unknown, Reason::DumpMissing, decision.text, decision.needs);
  }
  return false;
}

std::optional<std::string> Walk::refused_source(const Namespace& netns, const std::string& host,
                                                const std::string& device, const std::string& towards,
                                                const Ip& source, const Ip& destination) const {
  if (source.v6() || device == "lo") return std::nullopt;
  const auto conf = [&](std::string_view what) { return netns.conf_max(device, what).value_or(0); };
  const RouteDecision back = route(netns, host, {destination, source, towards, "", 0, 0, 0, 0, 0});
  if (back.kind == RouteDecision::Kind::Unknown) return std::nullopt;
  if (back.kind == RouteDecision::Kind::Local && !back.broadcast) {
    if (conf("accept_local") != 0) return std::nullopt;
    return fmt::format("the source {} is an address of {} itself", to_string(source), title(netns));
  }
  const long mode = conf("rp_filter");
  if (mode == 0) return std::nullopt;
  const bool routed = back.kind == RouteDecision::Kind::Route;
  const bool same = routed && (back.nexthop.device == device ||
                               (back.route != nullptr && std::ranges::find(back.route->value.nexthops, device,
                                                                           &kernel::Nexthop::device) !=
                                                             back.route->value.nexthops.end()));
  if (mode == 2 ? routed : same) return std::nullopt;
  return fmt::format("rp_filter {} on {}: the way back to {} is not by {}", mode, device, to_string(source),
                     mode == 2 ? "any device" : "this device");
}

// The setting of the device that the packet came in by decides for IPv4, that of the namespace for IPv6.
std::optional<bool> Walk::forwards(const Namespace& netns, const std::string& device, bool v6) {
  std::optional<long> value;
  if (v6)
    value = netns.sysctl("net.ipv6.conf.all.forwarding");
  else if (value = netns.sysctl(fmt::format("net.ipv4.conf.{}.forwarding", device)); !value)
    value = netns.sysctl("net.ipv4.ip_forward");
  return value ? std::optional(*value != 0) : std::nullopt;
}

void Walk::deliver_local(const Item& item, std::size_t hop, Packet packet, HookContext context,
                         const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.input(packet, context) != HookVerdict::Accept) return send_rejection(item, packet, netfilter);
  constexpr std::uint64_t kLinkGroups = 0xff02000000000000;
  const bool every_node =
      packet.ip_dst() == ipv6(kLinkGroups, 1) ||
      (packet.ip_dst() == ipv6(kLinkGroups, 2) && forwards(netns, "", true).value_or(true));
  if (decision.broadcast && packet.ip_dst().multicast() && !every_node) {
    return recorder_.stop(
        hop, Verdict::Dropped, Reason::NotForThisHost,
        fmt::format("nobody in {} is known to listen to {}", title(netns), to_string(packet.ip_dst())));
  }
  arrivals_.push_back(
      {Arrival::Kind::Namespace, hop, item.host, item.place, item.device, kNowhere, std::move(packet)});
}

void Walk::forward(const Item& item, std::size_t hop, Packet packet, HookContext context,
                   const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const bool v6 = packet.ip_dst().v6();
  const auto forwarding = forwards(netns, context.in, v6);
  if (forwarding && !*forwarding) {
    const bool all = v6 || netns.sysctl("net.ipv4.ip_forward").value_or(0) == 0;
    const std::string key = v6    ? "net.ipv6.conf.all.forwarding"
                            : all ? "net.ipv4.ip_forward"
                                  : fmt::format("net.ipv4.conf.{}.forwarding", context.in);
    return recorder_.stop(hop, Verdict::Dropped, Reason::ForwardingOff,
                          fmt::format("{} is 0 in {}", key, title(netns)));
  }
  if (!forwarding)
    recorder_.assume(
        "ASSUME_DEFAULT_FORWARDING",
        fmt::format("no dump says whether {} of {} forwards: it is taken to", title(netns), host.name));
  const std::uint64_t ttl = packet.get(FieldId::NwTtl);
  if (ttl <= 1) {
    recorder_.stop(hop, Verdict::Dropped, Reason::TtlExceeded, "the TTL ends here");
    return send_error(item, packet, IcmpError::TtlExceeded);
  }
  if (v6 && packet.ip_src().link_local()) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForwarded,
                          fmt::format("{} is link-local: no router sends it on", to_string(packet.ip_src())));
  }
  packet.set(FieldId::NwTtl, ttl - 1);
  recorder_.step(hop, Changed{"nw_ttl", std::to_string(ttl), std::to_string(ttl - 1)});
  context.out = decision.nexthop.device;
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.forward(packet, context) != HookVerdict::Accept)
    return send_rejection(item, packet, netfilter);
  transmit(item, hop, std::move(packet), context, decision);
}

void Walk::transmit(const Item& item, std::size_t hop, Packet packet, HookContext context,
                    const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.postrouting(packet, context) != HookVerdict::Accept) return;
  const std::size_t device_index = netns.find(decision.nexthop.device);
  if (device_index == kNowhere) {
    return recorder_.stop(
        hop, Verdict::Unknown, Reason::DumpMissing,
        fmt::format("the route's device {} is in no dump of {}", decision.nexthop.device, title(netns)),
        in_namespace(netns, host.name, "ip -d address"));
  }
  const NetDevice& device = netns.devices[device_index];
  const std::uint32_t mtu = device.link->value.mtu;
  if (too_big(device, packet)) {
    const bool made_here = item.at == Item::At::Originate;
    if (packet.df || (packet.ip_dst().v6() && !made_here)) {
      recorder_.stop(hop, Verdict::Dropped, Reason::MtuExceeded,
                     fmt::format("{} bytes do not fit the MTU {} of {} and must not be fragmented",
                                 packet.size, mtu, device.name()),
                     {}, device.link->at);
      return send_error(item, packet, IcmpError::TooBig);
    }
    recorder_.note(hop,
                   fmt::format("{} bytes do not fit the MTU {} of {}: goes on in fragments", packet.size, mtu,
                               device.name()),
                   device.link->at);
    packet.size = mtu;
  }
  if (device.behind != Behind::Loopback) {
    const Ip nexthop = decision.nexthop.via.value_or(packet.ip_dst());
    const auto mac = neighbour(item, hop, packet, device_index, nexthop);
    if (!mac) return;
    const Mac own = device.link->value.mac.value_or(Mac{});
    packet.set(FieldId::EthSrc, own.value);
    packet.set(FieldId::EthDst, mac->value);
  }
  packet.key = wire_key(packet.key);
  send(item.host, item.place, device_index, std::move(packet), hop);
}

void Walk::originate(const Item& item) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const std::size_t hop = begin_hop(item, namespace_place(host, netns), std::nullopt);
  if (filled_in(netns)) recorder_.direction.hops[hop].origin = Origin::Reference;
  Packet packet = item.packet;
  RouteQuery query = query_for(packet, "");
  RouteDecision decision = route(netns, host.name, query);
  if (!record_route(hop, netns, host, decision)) return;
  if (decision.broadcast && decision.route != nullptr && !decision.route->value.nexthops.empty()) {
    decision.kind = RouteDecision::Kind::Route;
    decision.nexthop = decision.route->value.nexthops.front();
  }
  if (packet.ip_src().zero()) {
    const std::size_t device = netns.find(decision.nexthop.device);
    const auto preferred = decision.route != nullptr ? decision.route->value.source : std::nullopt;
    if (preferred)
      packet.set_ip_src(*preferred);
    else if (device != kNowhere)
      packet.set_ip_src(source_on(netns.devices[device], decision.nexthop.via.value_or(packet.ip_dst()))
                            .value_or(packet.ip_src()));
    recorder_.direction.hops[hop].arrived = headers_of(packet);
  }
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  HookContext context;
  context.out = decision.nexthop.device;
  const Ip before = packet.ip_dst();
  const std::uint32_t mark = packet.mark;
  if (netfilter.output(packet, context) != HookVerdict::Accept) return;
  // The kernel routes again when a hook changed what routing looks at (ip_route_me_harder).
  if (packet.ip_dst() != before || packet.mark != mark) {
    query = query_for(packet, "");
    decision = route(netns, host.name, query);
    if (!record_route(hop, netns, host, decision)) return;
    context.out = decision.nexthop.device;
  }
  if (decision.kind == RouteDecision::Kind::Local) {
    arrivals_.push_back(
        {Arrival::Kind::Namespace, hop, item.host, item.place, kNowhere, kNowhere, std::move(packet)});
    return;
  }
  transmit(item, hop, std::move(packet), context, decision);
}

void Walk::route_error(const Item& item, const Packet& packet, const RouteDecision& decision) {
  switch (decision.kind) {
    case RouteDecision::Kind::NoRoute:
      return send_error(item, packet, IcmpError::NoRoute);
    // An unreachable route means the host, a policy rule the network.
    case RouteDecision::Kind::Unreachable:
      return send_error(item, packet,
                        decision.route != nullptr && packet.ip_dst().v4() ? IcmpError::HostUnreachable
                                                                          : IcmpError::NoRoute);
    case RouteDecision::Kind::Prohibit:
      return send_error(item, packet, IcmpError::Prohibited);
    default:
      return;
  }
}

void Walk::send_error(const Item& item, const Packet& packet, IcmpError error) {
  if (error_ || purpose_ == Purpose::Resolve) return;
  if (auto made = error_about(packet, error)) error_ = Error{item.host, item.place, std::move(*made)};
}

void Walk::send_rejection(const Item& item, const Packet& packet, const Netfilter& netfilter) {
  if (error_ || purpose_ == Purpose::Resolve || !netfilter.rejected_with()) return;
  if (auto made = rejection_of(packet, *netfilter.rejected_with()))
    error_ = Error{item.host, item.place, std::move(*made)};
}

}  // namespace dvrtrace
