// A namespace: what Linux's IP does with a packet that comes in by a device, or that it makes itself
// (ip_rcv, ip_forward, ip_output and their netfilter hooks).
#include <fmt/format.h>

#include <algorithm>

#include "src/kernel/print.h"
#include "tracer/engine/walk.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

Place namespace_place(const Host& host, const Namespace& netns) {
  return {PlaceKind::Namespace, host.name, netns.name.empty() ? "root" : netns.name};
}

std::string title(const Namespace& netns) { return netns.name.empty() ? std::string("the root namespace") : netns.name; }

RouteQuery query_for(const Packet& packet, const std::string& iif) {
  RouteQuery query{packet.ip_src(), packet.ip_dst(), iif, "", packet.mark, static_cast<std::uint8_t>(packet.get(FieldId::NwTos)), packet.protocol(), 0, 0};
  if (packet.protocol() == openflow::kProtoTcp || packet.protocol() == openflow::kProtoUdp) {
    query.source_port = static_cast<std::uint16_t>(packet.get(FieldId::TcpSrc));
    query.destination_port = static_cast<std::uint16_t>(packet.get(FieldId::TcpDst));
  }
  return query;
}

bool has_address(const NetDevice& device, const Ip& ip) {
  return std::ranges::any_of(device.link->value.addresses, [&](const auto& address) { return address.value.ip == ip; });
}

std::optional<Ip> source_on(const NetDevice& device, const Ip& towards) {
  std::optional<Ip> first;
  for (const auto& address : device.link->value.addresses) {
    if (address.value.ip.family != towards.family) continue;
    if (address.value.network().contains(towards)) return address.value.ip;
    if (!first || (first->link_local() && !address.value.ip.link_local())) first = address.value.ip;
  }
  return first;
}

}  // namespace

void Walk::at_namespace(const Item& item) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[item.device];
  const std::size_t hop = begin_hop(item, namespace_place(host, netns), Device{netns.name, device.name(), std::nullopt});
  if (seen_before(hop)) return recorder_.stop(hop, Verdict::Looped, Reason::Loop, fmt::format("the same packet was at {} before", device.name()));
  const Mac destination = item.packet.eth_dst();
  const bool loopback = device.behind == Behind::Loopback;
  if (!loopback && !destination.multicast() && device.link->value.mac && destination != *device.link->value.mac) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost,
                          fmt::format("the frame is for {}, {} has {}: the kernel ignores it", to_string(destination), device.name(), to_string(*device.link->value.mac)));
  }
  if ((item.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) != 0) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, fmt::format("no VLAN device of {} takes VLAN {}", title(netns), item.packet.get(FieldId::VlanTci) & 0xfff));
  }
  if (item.packet.arp()) return namespace_arp(item, hop);
  if (!item.packet.ip()) return recorder_.stop(hop, Verdict::Dropped, Reason::NotForwarded, "not an IP packet");
  if (item.packet.inner != nullptr && netns.addresses.contains(item.packet.ip_dst())) return decapsulate(item.host, item.packet, hop, {});

  Packet packet = item.packet;
  packet.mark = 0;
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  HookContext context;
  context.in = device.name();
  if (netfilter.prerouting(packet, context) != HookVerdict::Accept) return;
  const bool to_all = packet.ip_dst().multicast() || (packet.ip_dst().v4() && packet.ip_dst().low == 0xffffffff);
  RouteDecision decision;
  if (to_all) {
    decision.kind = RouteDecision::Kind::Local;
    decision.broadcast = true;
  } else {
    decision = route(netns, host.name, query_for(packet, device.name()));
  }
  if (!record_route(hop, netns, host, decision)) {
    if (decision.kind == RouteDecision::Kind::NoRoute || decision.kind == RouteDecision::Kind::Unreachable) send_error(item, packet, 3, decision.kind == RouteDecision::Kind::NoRoute ? 0 : 1);
    return;
  }
  if (!to_all && !reverse_path_ok(item, hop, packet)) return;
  if (decision.kind == RouteDecision::Kind::Local) return deliver_local(item, hop, std::move(packet), context, decision);
  forward(item, hop, std::move(packet), context, decision);
}

// Writes down what decided, and stops the hop when it leads nowhere.
bool Walk::record_route(std::size_t hop, const Namespace& netns, const Host& host, const RouteDecision& decision) {
  for (const std::string& passed : decision.passed) recorder_.note(hop, "table " + passed);
  if (decision.rule != nullptr) recorder_.step(hop, RuleHit{decision.rule->value.priority, kernel::to_string(decision.rule->value), decision.rule->at});
  if (decision.route != nullptr) {
    recorder_.step(hop, RouteHit{kernel::route_table_name(decision.route->value.table), kernel::to_string(decision.route->value), decision.route->at});
  }
  if (decision.multipath) recorder_.assume("ASSUME_MULTIPATH_FIRST", "of several nexthops of one route the first usable one is taken");
  const Provenance at = decision.route != nullptr ? decision.route->at : decision.rule != nullptr ? decision.rule->at : Provenance{};
  const auto stop = [&](Verdict verdict, Reason reason, std::string words, std::string needs = {}) {
    recorder_.stop(hop, verdict, reason, std::move(words), std::move(needs), at);
    return false;
  };
  switch (decision.kind) {
    case RouteDecision::Kind::Route:
    case RouteDecision::Kind::Local: return true;
    case RouteDecision::Kind::NoRoute: return stop(Verdict::Dropped, Reason::NoRoute, fmt::format("{} of {} has no route", title(netns), host.name));
    case RouteDecision::Kind::Unreachable: return stop(Verdict::Dropped, Reason::UnreachableRoute, "the route says unreachable");
    case RouteDecision::Kind::Prohibit: return stop(Verdict::Dropped, Reason::ProhibitRoute, "the route says prohibit");
    case RouteDecision::Kind::Blackhole: return stop(Verdict::Dropped, Reason::BlackholeRoute, "the route is a blackhole");
    case RouteDecision::Kind::Unknown: return stop(Verdict::Unknown, Reason::DumpMissing, decision.text, decision.needs);
  }
  return false;
}

bool Walk::reverse_path_ok(const Item& item, std::size_t hop, const Packet& packet) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const std::string& device = netns.devices[item.device].name();
  if (packet.ip_src().v6() || device == "lo") return true;
  const long mode = netns.conf_max(device, "rp_filter").value_or(0);
  if (mode == 0) return true;
  RouteQuery back = query_for(packet, device);
  std::swap(back.source, back.destination);
  const RouteDecision decision = route(netns, host.name, back);
  if (decision.kind == RouteDecision::Kind::Unknown) return true;
  const bool same = decision.kind == RouteDecision::Kind::Route && decision.nexthop.device == device;
  if (mode == 2 ? decision.kind == RouteDecision::Kind::Route : same) return true;
  recorder_.stop(hop, Verdict::Dropped, Reason::ReversePathFilter,
                 fmt::format("rp_filter {} on {}: the way back to {} is not by this device", mode, device, to_string(packet.ip_src())));
  return false;
}

void Walk::namespace_arp(const Item& item, std::size_t hop) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[item.device];
  const Ip target = ipv4(static_cast<std::uint32_t>(item.packet.get(FieldId::ArpTpa)));
  const Ip sender = ipv4(static_cast<std::uint32_t>(item.packet.get(FieldId::ArpSpa)));
  if (item.packet.get(FieldId::ArpOp) == 2) {
    arp_answers_.push_back({hop, sender, Mac{item.packet.get(FieldId::ArpSha)}});
    return recorder_.stop(hop, Verdict::Delivered, Reason::ToHost, fmt::format("{} learns that {} is at {}", title(netns), to_string(sender), to_string(arp_answers_.back().mac)));
  }
  const long ignore = netns.conf_max(device.name(), "arp_ignore").value_or(0);
  const bool own = ignore >= 1 ? has_address(device, target) : netns.addresses.contains(target);
  bool proxy = false;
  if (!own && netns.conf_max(device.name(), "proxy_arp").value_or(0) != 0) {
    // Proxy ARP: for what would be sent on by another device.
    const RouteDecision decision = route(netns, host.name, {sender, target, device.name(), "", 0, 0, 0, 0, 0});
    proxy = decision.kind == RouteDecision::Kind::Route && decision.nexthop.device != device.name();
    if (proxy && decision.route != nullptr) recorder_.step(hop, RouteHit{kernel::route_table_name(decision.route->value.table), kernel::to_string(decision.route->value), decision.route->at});
  }
  if (!own && !proxy) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, fmt::format("{} is no address of {} in {}", to_string(target), device.name(), title(netns)));
  }
  if (!device.link->value.mac) return recorder_.stop(hop, Verdict::Unknown, Reason::DumpMissing, fmt::format("the MAC of {} is in no dump", device.name()), in_namespace(netns, host.name, "ip -d address"));
  arrivals_.push_back({Arrival::Kind::Namespace, hop, item.host, item.place, item.device, kNowhere, item.packet});
  recorder_.stop(hop, Verdict::Delivered, Reason::ToRouter, fmt::format("{} answers for {}{}", title(netns), to_string(target), proxy ? " (proxy ARP)" : ""));
  if (purpose_ != Purpose::Resolve) return;
  Packet reply = arp_reply(item.packet, *device.link->value.mac);
  recorder_.direction.hops[hop].steps.pop_back();
  recorder_.step(hop, Resolved{target, *device.link->value.mac, proxy ? "proxy ARP" : "", device.link->at});
  send(item.host, item.place, item.device, std::move(reply), hop);
}

void Walk::deliver_local(const Item& item, std::size_t hop, Packet packet, HookContext context, const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.input(packet, context) != HookVerdict::Accept) return;
  if (decision.broadcast && packet.ip_dst().multicast()) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, fmt::format("nobody in {} is known to listen to {}", title(netns), to_string(packet.ip_dst())));
  }
  arrivals_.push_back({Arrival::Kind::Namespace, hop, item.host, item.place, item.device, kNowhere, std::move(packet)});
}

void Walk::forward(const Item& item, std::size_t hop, Packet packet, HookContext context, const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const bool v6 = packet.ip_dst().v6();
  const auto forwarding = v6 ? netns.sysctl("net.ipv6.conf.all.forwarding") : netns.sysctl("net.ipv4.ip_forward");
  if (forwarding && *forwarding == 0) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::ForwardingOff, fmt::format("{} is 0 in {}", v6 ? "net.ipv6.conf.all.forwarding" : "net.ipv4.ip_forward", title(netns)));
  }
  if (!forwarding) recorder_.assume("ASSUME_DEFAULT_FORWARDING", fmt::format("no dump says whether {} of {} forwards: it is taken to", title(netns), host.name));
  const std::uint64_t ttl = packet.get(FieldId::NwTtl);
  if (ttl <= 1) {
    recorder_.stop(hop, Verdict::Dropped, Reason::TtlExceeded, "the TTL ends here");
    return send_error(item, packet, 11, 0);
  }
  packet.set(FieldId::NwTtl, ttl - 1);
  recorder_.step(hop, Changed{"nw_ttl", std::to_string(ttl), std::to_string(ttl - 1)});
  context.out = decision.nexthop.device;
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.forward(packet, context) != HookVerdict::Accept) return;
  transmit(item, hop, std::move(packet), context, decision);
}

void Walk::transmit(const Item& item, std::size_t hop, Packet packet, HookContext context, const RouteDecision& decision) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
  if (netfilter.postrouting(packet, context) != HookVerdict::Accept) return;
  const std::size_t device_index = netns.find(decision.nexthop.device);
  if (device_index == kNowhere) {
    return recorder_.stop(hop, Verdict::Unknown, Reason::DumpMissing, fmt::format("the route's device {} is in no dump of {}", decision.nexthop.device, title(netns)), in_namespace(netns, host.name, "ip -d address"));
  }
  const NetDevice& device = netns.devices[device_index];
  const std::uint32_t mtu = device.link->value.mtu;
  if (mtu != 0 && packet.size > mtu && (packet.df || packet.ip_dst().v6())) {
    recorder_.stop(hop, Verdict::Dropped, Reason::MtuExceeded, fmt::format("{} bytes do not fit the MTU {} of {} and must not be fragmented", packet.size, mtu, device.name()), {}, device.link->at);
    return send_error(item, packet, 3, 4);
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

std::optional<Mac> Walk::neighbour(const Item& item, std::size_t hop, const Packet& packet, std::size_t device_index, const Ip& nexthop) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[device_index];
  if (nexthop.v4() && nexthop.low == 0xffffffff) return kBroadcastMac;
  if (nexthop.multicast()) return Mac{nexthop.v4() ? 0x01005e000000 | (nexthop.low & 0x7fffff) : 0x333300000000 | (nexthop.low & 0xffffffff)};
  const auto known = netns.neighbours.find(to_string(nexthop) + " " + device.name());
  if (known != netns.neighbours.end() && known->second->value.mac) {
    using enum kernel::NeighbourState;
    const kernel::Neighbour& entry = known->second->value;
    if (entry.state != Failed && entry.state != Incomplete) {
      static constexpr std::string_view kNames[] = {"PERMANENT", "NOARP", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "NONE"};
      recorder_.step(hop, NeighbourHit{nexthop, *entry.mac, std::string(kNames[static_cast<std::size_t>(entry.state)]), known->second->at});
      return entry.mac;
    }
  }
  if (const auto mac = resolve_for_device(item.host, item.place, device_index, nexthop)) {
    recorder_.step(hop, Resolved{nexthop, *mac, "ARP", {}});
    return mac;
  }
  // Beyond the provider network nobody's answer can be played out: the next hop there is taken to answer.
  const bool external = device.name().starts_with("qg-") || device.name().starts_with("fg-") || device.behind == Behind::Wire;
  if (external) {
    if (const auto mac = external_mac(item.host, nexthop, recorder_, hop)) return mac;
    recorder_.assume("ASSUME_OUTSIDE_ANSWERS", "hosts outside the cloud are taken to be there and to answer");
    return Mac{0x020000000000 | (nexthop.low & 0xffffffff)};
  }
  const Provenance at = known != netns.neighbours.end() ? known->second->at : Provenance{};
  recorder_.stop(hop, Verdict::Dropped, Reason::NeighbourFailed, fmt::format("nobody answers for {} on {}", to_string(nexthop), device.name()), {}, at);
  send_error(item, packet, 3, 1);
  return std::nullopt;
}

std::optional<Mac> Walk::external_mac(std::size_t host_index, const Ip& ip, Recorder& recorder, std::size_t hop) const {
  for (std::size_t n = 0; n < network_.size(); ++n) {  // this host's own namespaces first
    const std::size_t index = n == 0 ? host_index : n <= host_index ? n - 1 : n;
    for (const Namespace& netns : network_.host(index).namespaces) {
      if (netns.dumps == nullptr || (!netns.name.starts_with("fip-") && !netns.name.starts_with("snat-"))) continue;
      for (const auto& neighbour : netns.dumps->neighbours.value) {
        if (neighbour.value.ip != ip || !neighbour.value.mac) continue;
        recorder.step(hop, NeighbourHit{ip, *neighbour.value.mac, "known to " + netns.name, neighbour.at});
        recorder.assume("ASSUME_NEIGHBOUR_FROM_ELSEWHERE", "a MAC that a namespace does not know is taken from another one on the same external network");
        return neighbour.value.mac;
      }
    }
  }
  const Sourced<FdbEntry>* stranger = nullptr;
  for (const Bridge& bridge : network_.host(host_index).bridges) {
    if (bridge.dumps == nullptr || bridge.name == "br-int" || bridge.name == "br-tun") continue;
    for (const auto& entry : bridge.dumps->fdb.value) {
      const BridgePort* port = bridge.port(entry.value.port);
      const bool card = port != nullptr && port->type == PortType::System && !network_.physical_networks(host_index, port->name).empty();
      if (!card || !network_.owners(entry.value.mac).empty() || entry.value.mac.value >> 24 == 0xfa163f) continue;
      if (stranger != nullptr && stranger->value.mac != entry.value.mac) return std::nullopt;  // which of them is not said
      stranger = &entry;
    }
  }
  if (stranger == nullptr) return std::nullopt;
  recorder.step(hop, NeighbourHit{ip, stranger->value.mac, "the one MAC of no host here that was learned", stranger->at});
  recorder.assume("ASSUME_NEIGHBOUR_FROM_FDB", "the MAC of a host outside is taken from a provider bridge's MAC table");
  return stranger->value.mac;
}

std::optional<Mac> Walk::resolve_for_device(std::size_t host_index, std::size_t netns, std::size_t device_index, const Ip& target) {
  if (purpose_ == Purpose::Resolve) return std::nullopt;
  const NetDevice& device = network_.host(host_index).namespaces[netns].devices[device_index];
  const auto source = source_on(device, target);
  if (!device.link->value.mac || !source || target.v6()) return std::nullopt;
  Recorder scratch;
  Walk walk(network_, ports_, session_, scratch, Purpose::Resolve);
  Packet request = arp_request(*device.link->value.mac, *source, target);
  const std::size_t hop = scratch.hop(std::nullopt, namespace_place(network_.host(host_index), network_.host(host_index).namespaces[netns]), std::nullopt, request);
  walk.send(host_index, netns, device_index, std::move(request), hop);
  walk.run();
  for (const ArpAnswer& answer : walk.arp_answers()) {
    if (answer.ip == target) return answer.mac;
  }
  return std::nullopt;
}

void Walk::originate(const Item& item) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const std::size_t hop = begin_hop(item, namespace_place(host, netns), std::nullopt);
  Packet packet = item.packet;
  RouteQuery query = query_for(packet, "");
  RouteDecision decision = route(netns, host.name, query);
  if (!record_route(hop, netns, host, decision)) return;
  if (packet.ip_src().zero()) {
    const std::size_t device = netns.find(decision.nexthop.device);
    const auto preferred = decision.route != nullptr ? decision.route->value.source : std::nullopt;
    if (preferred) packet.set_ip_src(*preferred);
    else if (device != kNowhere) packet.set_ip_src(source_on(netns.devices[device], decision.nexthop.via.value_or(packet.ip_dst())).value_or(packet.ip_src()));
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
    arrivals_.push_back({Arrival::Kind::Namespace, hop, item.host, item.place, kNowhere, kNowhere, std::move(packet)});
    return;
  }
  transmit(item, hop, std::move(packet), context, decision);
}

// An ICMP error back to the sender; never about an error, a broadcast or a later fragment.
void Walk::send_error(const Item& item, const Packet& packet, std::uint8_t type, std::uint8_t code) {
  const bool icmp = packet.protocol() == openflow::kProtoIcmp;
  const std::uint64_t own_type = packet.get(FieldId::IcmpType);
  if (error_ || packet.quoted || packet.ip_dst().v6() || (icmp && own_type != 8 && own_type != 0 && own_type != 13)) return;
  if (packet.ip_dst().multicast() || packet.eth_dst().multicast() || purpose_ == Purpose::Resolve) return;
  const NetDevice* device = item.device == kNowhere ? nullptr : &network_.host(item.host).namespaces[item.place].devices[item.device];
  Packet error;
  error.set(FieldId::EthType, openflow::kTypeIpv4);
  error.set(FieldId::NwProto, openflow::kProtoIcmp);
  error.set(FieldId::NwTtl, 64);
  error.set(FieldId::IcmpType, type);
  error.set(FieldId::IcmpCode, code);
  error.set_ip_dst(packet.ip_src());
  if (device != nullptr) error.set_ip_src(source_on(*device, packet.ip_src()).value_or(Ip{}));
  error.quoted = tuple_of(packet.key);
  error_ = Error{item.host, item.place, std::move(error)};
}

}  // namespace dvrtrace
