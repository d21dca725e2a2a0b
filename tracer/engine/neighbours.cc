// Neighbours: who has an address on a link. ARP and neighbour discovery (RFC 4861) are played out
// across the bridges like any other packet; this file has those who ask and those who answer.
#include <fmt/format.h>

#include <algorithm>

#include "src/kernel/print.h"
#include "tracer/engine/walk.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

constexpr std::uint64_t kArpRequest = 1, kArpReply = 2;
constexpr std::uint64_t kSolicitation = 135, kAdvertisement = 136;  // of ICMPv6

std::string title(const Namespace& netns) {
  return netns.name.empty() ? std::string("the root namespace") : netns.name;
}

bool has_address(const NetDevice& device, const Ip& ip) {
  return std::ranges::any_of(device.link->value.addresses,
                             [&](const auto& address) { return address.value.ip == ip; });
}

// ff02::1:ffXX:XXXX, the group that an address is asked for in.
Ip solicited_node(const Ip& target) {
  return ipv6(0xff02000000000000, 0x00000001ff000000 | (target.low & 0xffffff));
}

Ip arp_address(const Packet& packet, FieldId field) {
  return ipv4(static_cast<std::uint32_t>(packet.get(field)));
}

Ip nd_target(const Packet& packet) {
  const openflow::Bits128 bits = get(packet.key, FieldId::NdTarget);
  return ipv6(bits.high, bits.low);
}

Packet solicitation(Mac sender, const Ip& sender_ip, const Ip& target) {
  Packet packet;
  packet.set(FieldId::EthSrc, sender.value);
  packet.set(FieldId::EthDst, multicast_mac(solicited_node(target)).value);
  packet.set(FieldId::EthType, openflow::kTypeIpv6);
  packet.set_ip_src(sender_ip);
  packet.set_ip_dst(solicited_node(target));
  packet.set(FieldId::NwProto, openflow::kProtoIcmpv6);
  packet.set(FieldId::NwTtl, 255);
  packet.set(FieldId::Icmpv6Type, kSolicitation);
  set(packet.key, FieldId::NdTarget, {target.high, target.low});
  packet.set(FieldId::NdSll, sender.value);
  packet.size = 72;
  return packet;
}

Packet advertisement(const Packet& request, Mac answerer) {
  Packet packet;
  packet.set(FieldId::EthSrc, answerer.value);
  packet.set(FieldId::EthDst, request.eth_src().value);
  packet.set(FieldId::EthType, openflow::kTypeIpv6);
  packet.set_ip_src(nd_target(request));
  packet.set_ip_dst(request.ip_src());
  packet.set(FieldId::NwProto, openflow::kProtoIcmpv6);
  packet.set(FieldId::NwTtl, 255);
  packet.set(FieldId::Icmpv6Type, kAdvertisement);
  set(packet.key, FieldId::NdTarget, get(request.key, FieldId::NdTarget));
  packet.set(FieldId::NdTll, answerer.value);
  packet.size = 72;
  return packet;
}

}  // namespace

Mac multicast_mac(const Ip& group) {
  return Mac{group.v4() ? 0x01005e000000 | (group.low & 0x7fffff)
                        : 0x333300000000 | (group.low & 0xffffffff)};
}

Packet arp_request(Mac sender, const Ip& sender_ip, const Ip& target) {
  Packet packet;
  packet.set(FieldId::EthSrc, sender.value);
  packet.set(FieldId::EthDst, kBroadcastMac.value);
  packet.set(FieldId::EthType, openflow::kTypeArp);
  packet.set(FieldId::ArpOp, kArpRequest);
  packet.set(FieldId::ArpSha, sender.value);
  packet.set(FieldId::ArpSpa, sender_ip.low);
  packet.set(FieldId::ArpTpa, target.low);
  packet.size = 28;
  return packet;
}

Packet arp_reply(const Packet& request, Mac answerer) {
  Packet packet;
  packet.size = 28;
  packet.set(FieldId::EthSrc, answerer.value);
  packet.set(FieldId::EthDst, request.get(FieldId::ArpSha));
  packet.set(FieldId::EthType, openflow::kTypeArp);
  packet.set(FieldId::ArpOp, kArpReply);
  packet.set(FieldId::ArpSha, answerer.value);
  packet.set(FieldId::ArpTha, request.get(FieldId::ArpSha));
  packet.set(FieldId::ArpSpa, request.get(FieldId::ArpTpa));
  packet.set(FieldId::ArpTpa, request.get(FieldId::ArpSpa));
  return packet;
}

Packet neighbour_request(Mac sender, const Ip& sender_ip, const Ip& target) {
  return target.v6() ? solicitation(sender, sender_ip, target) : arp_request(sender, sender_ip, target);
}

Packet neighbour_reply(const Packet& request, Mac answerer) {
  return request.arp() ? arp_reply(request, answerer) : advertisement(request, answerer);
}

std::optional<Ip> asked_for(const Packet& packet) {
  if (packet.arp())
    return packet.get(FieldId::ArpOp) == kArpRequest ? std::optional(arp_address(packet, FieldId::ArpTpa))
                                                     : std::nullopt;
  const bool asks = packet.eth_type() == openflow::kTypeIpv6 && packet.protocol() == openflow::kProtoIcmpv6 &&
                    packet.get(FieldId::Icmpv6Type) == kSolicitation;
  return asks ? std::optional(nd_target(packet)) : std::nullopt;
}

std::optional<std::pair<Ip, Mac>> answer_in(const Packet& packet) {
  if (packet.arp()) {
    if (packet.get(FieldId::ArpOp) != kArpReply) return std::nullopt;
    return std::pair(arp_address(packet, FieldId::ArpSpa), Mac{packet.get(FieldId::ArpSha)});
  }
  const bool tells = packet.eth_type() == openflow::kTypeIpv6 &&
                     packet.protocol() == openflow::kProtoIcmpv6 &&
                     packet.get(FieldId::Icmpv6Type) == kAdvertisement;
  return tells ? std::optional(std::pair(nd_target(packet), Mac{packet.get(FieldId::NdTll)})) : std::nullopt;
}

Ip link_local_of(Mac mac) {
  const std::uint64_t high = (mac.value >> 24) ^ 0x020000, low = mac.value & 0xffffff;
  return ipv6(0xfe80000000000000, high << 40 | 0xfffe000000 | low);
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

// --- VMs -----------------------------------------------------------------------------------------------

void Walk::vm_is_told(const Item& item, std::size_t hop, std::size_t port, const Ip& ip, Mac mac) {
  answers_.push_back({hop, ip, mac});
  arrivals_.push_back({Arrival::Kind::Vm, hop, item.host, kNowhere, kNowhere, port, item.packet});
  recorder_.stop(hop, Verdict::Delivered, Reason::ToVm, [&] {
    return fmt::format("{} learns that {} is at {}", ports_.at(port).title(), to_string(ip), to_string(mac));
  });
}

void Walk::vm_is_asked(const Item& item, std::size_t hop, std::size_t port, const Ip& target) {
  const CloudPort& vm = ports_.at(port);
  const bool paired = std::ranges::find(vm.others, target) != vm.others.end();
  const bool own = vm.has(target) || (target.v6() && target == link_local_of(vm.mac));
  if (!own)
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, [&] {
      return fmt::format("{} is no address of {}", to_string(target), vm.title());
    });
  if (paired)
    recorder_.assume("ASSUME_PAIR_ADDRESS_IN_USE",
                     "a VM is taken to have the addresses that an allowed address pair lets it use");
  arrivals_.push_back({Arrival::Kind::Vm, hop, item.host, kNowhere, kNowhere, port, item.packet});
  recorder_.stop(hop, Verdict::Delivered, Reason::ToVm,
                 [&] { return fmt::format("{} answers for {}", vm.title(), to_string(target)); });
  if (purpose_ == Purpose::Resolve) from_vm(port, neighbour_reply(item.packet, vm.mac));
}

std::optional<Mac> Walk::resolve_for_vm(std::size_t port, const Packet& packet, const Ip& target,
                                        Recorder* scratch) {
  Recorder own;
  Recorder& recorder = scratch == nullptr ? own : *scratch;
  Walk walk(network_, ports_, session_, recorder, Purpose::Resolve);
  walk.from_vm(port, neighbour_request(ports_.at(port).mac, packet.ip_src(), target));
  return walk.answer_for(target);
}

// --- namespaces ------------------------------------------------------------------------------------------

// How the kernel takes an ARP request for `target` (arp_process): own address, proxied, or why not.
Walk::ArpPolicy Walk::arp_policy(const Namespace& netns, const std::string& host, const NetDevice& device,
                                 const Ip& sender, const Ip& target) const {
  const auto conf = [&](std::string_view what) { return netns.conf_max(device.name(), what).value_or(0); };
  ArpPolicy policy;
  if (!sender.zero()) {
    // The request is routed as a packet of the sender would be, and rp_filter judges it alike.
    if (const auto refused = refused_source(netns, host, device.name(), "lo", sender, target)) {
      policy.refusal = *refused;
      policy.reason = Reason::ReversePathFilter;
      return policy;
    }
  }
  if (netns.addresses.contains(target)) {
    const long ignore = conf("arp_ignore");
    const bool on_device = has_address(device, target);
    const bool near = std::ranges::any_of(device.link->value.addresses, [&](const auto& address) {
      return address.value.ip == target && address.value.network().contains(sender);
    });
    if (ignore == 8)
      policy.refusal = "arp_ignore is 8: no request for an own address is answered";
    else if (ignore >= 1 && !on_device)
      policy.refusal =
          fmt::format("arp_ignore is {}: {} is no address of {}", ignore, to_string(target), device.name());
    else if (ignore == 2 && !near && !sender.zero())
      policy.refusal = fmt::format("arp_ignore is 2: {} is of another subnet", to_string(sender));
    else if (conf("arp_filter") != 0) {
      const RouteDecision back = route(netns, host, {target, sender, "", "", 0, 0, 0, 0, 0});
      if (back.kind == RouteDecision::Kind::Route && back.nexthop.device != device.name())
        policy.refusal =
            fmt::format("arp_filter: {} is reached by {}", to_string(sender), back.nexthop.device);
    }
    policy.answers = policy.refusal.empty();
    if (!policy.answers) policy.reason = Reason::NeighbourFailed;
    return policy;
  }
  // Proxy ARP: for what would be sent on by another device.
  if (conf("proxy_arp") == 0 || !forwards(netns, device.name(), false).value_or(true)) return policy;
  policy.decision = route(netns, host, {sender, target, device.name(), "", 0, 0, 0, 0, 0});
  policy.proxy =
      policy.decision.kind == RouteDecision::Kind::Route && policy.decision.nexthop.device != device.name();
  policy.answers = policy.proxy;
  return policy;
}

void Walk::namespace_is_asked(const Item& item, std::size_t hop, const Ip& target) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[item.device];
  ArpPolicy policy;
  if (item.packet.arp()) {
    policy = arp_policy(netns, host.name, device, arp_address(item.packet, FieldId::ArpSpa), target);
  } else {
    policy.answers = has_address(device, target);
  }
  if (policy.proxy && policy.decision.route != nullptr) {
    const auto& route = *policy.decision.route;
    recorder_.step(
        hop, RouteHit{kernel::route_table_name(route.value.table), kernel::to_string(route.value), route.at});
  }
  if (!policy.answers) {
    return recorder_.stop(hop, Verdict::Dropped, policy.reason, [&] {
      return policy.refusal.empty()
                 ? fmt::format("{} is no address of {} in {}", to_string(target), device.name(), title(netns))
                 : policy.refusal;
    });
  }
  if (!item.packet.arp()) {  // a packet like others to the filters
    Packet packet = item.packet;
    Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
    HookContext context;
    context.in = device.name();
    if (netfilter.prerouting(packet, context) != HookVerdict::Accept ||
        netfilter.input(packet, context) != HookVerdict::Accept)
      return;
  }
  if (!device.link->value.mac)
    return recorder_.stop(hop, Verdict::Unknown, Reason::DumpMissing,
                          fmt::format("the MAC of {} is in no dump", device.name()),
                          in_namespace(netns, host.name, "ip -d address"));
  arrivals_.push_back(
      {Arrival::Kind::Namespace, hop, item.host, item.place, item.device, kNowhere, item.packet});
  if (purpose_ != Purpose::Resolve) {
    return recorder_.stop(hop, Verdict::Delivered, Reason::ToRouter,
                          fmt::format("{} answers for {}{}", title(netns), to_string(target),
                                      policy.proxy ? " (proxy ARP)" : ""));
  }
  recorder_.step(hop,
                 Resolved{target, *device.link->value.mac, policy.proxy ? "proxy ARP" : "", device.link->at});
  send(item.host, item.place, item.device, neighbour_reply(item.packet, *device.link->value.mac), hop);
}

void Walk::namespace_is_told(const Item& item, std::size_t hop, const Ip& ip, Mac mac) {
  const Namespace& netns = network_.host(item.host).namespaces[item.place];
  answers_.push_back({hop, ip, mac});
  recorder_.stop(hop, Verdict::Delivered, Reason::ToHost, [&] {
    return fmt::format("{} learns that {} is at {}", title(netns), to_string(ip), to_string(mac));
  });
}

std::optional<Mac> Walk::neighbour(const Item& item, std::size_t hop, const Packet& packet,
                                   std::size_t device_index, const Ip& nexthop) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& device = netns.devices[device_index];
  if (nexthop.v4() && nexthop.low == 0xffffffff) return kBroadcastMac;
  if (nexthop.multicast()) return multicast_mac(nexthop);
  const auto known = netns.neighbours.find(to_string(nexthop) + " " + device.name());
  if (known != netns.neighbours.end() && known->second->value.mac) {
    using enum kernel::NeighbourState;
    const kernel::Neighbour& entry = known->second->value;
    if (entry.state != Failed && entry.state != Incomplete) {
      static constexpr std::string_view kNames[] = {"PERMANENT", "NOARP",  "REACHABLE",  "STALE", "DELAY",
                                                    "PROBE",     "FAILED", "INCOMPLETE", "NONE"};
      recorder_.step(
          hop, NeighbourHit{nexthop, *entry.mac, std::string(kNames[static_cast<std::size_t>(entry.state)]),
                            known->second->at, entry.age});
      return entry.mac;
    }
  }
  if (const auto mac = resolve_for_device(item.host, item.place, device_index, packet.ip_src(), nexthop)) {
    recorder_.step(hop, Resolved{nexthop, *mac, nexthop.v6() ? "neighbour discovery" : "ARP", {}});
    return mac;
  }
  // Beyond the provider network nobody's answer can be played out: the next hop there is taken to answer.
  const bool external =
      device.name().starts_with("qg-") || device.name().starts_with("fg-") || device.behind == Behind::Wire;
  if (external) {
    if (const auto mac = external_mac(item.host, nexthop, recorder_, hop)) return mac;
    recorder_.assume("ASSUME_OUTSIDE_ANSWERS", "hosts outside the cloud are taken to be there and to answer");
    return Mac{0x020000000000 | (nexthop.low & 0xffffffff)};
  }
  if (!device.link->value.mac) {
    recorder_.stop(
        hop, Verdict::Unknown, Reason::DumpMissing,
        fmt::format(
            "{} is not in the neighbours of {}, and the MAC of {}, by which it would ask, is in no dump",
            to_string(nexthop), title(netns), device.name()),
        in_namespace(netns, host.name, "ip -d address"));
    return std::nullopt;
  }
  const bool cut = netns.dumps != nullptr && netns.dumps->neighbours.presence == Presence::Truncated &&
                   known == netns.neighbours.end();
  if (cut) {
    recorder_.stop(
        hop, Verdict::Unknown, Reason::DumpTruncated,
        fmt::format("the neighbours of {} are not all in the dump, and nobody answers for {} on {}",
                    title(netns), to_string(nexthop), device.name()),
        in_namespace(netns, host.name, "ip neigh"));
    return std::nullopt;
  }
  const Provenance at = known != netns.neighbours.end() ? known->second->at : Provenance{};
  recorder_.stop(hop, Verdict::Dropped, Reason::NeighbourFailed,
                 fmt::format("nobody answers for {} on {}", to_string(nexthop), device.name()), {}, at);
  send_error(item, packet, IcmpError::HostUnreachable);
  return std::nullopt;
}

std::optional<Mac> Walk::external_mac(std::size_t host_index, const Ip& ip, Recorder& recorder,
                                      std::size_t hop) const {
  network_.ask_every_host();
  const auto leads_out = [](const NamespaceSnapshot& netns) {
    return netns.name.starts_with("fip-") || netns.name.starts_with("snat-");
  };
  for (std::size_t n = 0; n < network_.size(); ++n) {  // this host's own namespaces first
    const std::size_t index = n == 0 ? host_index : n <= host_index ? n - 1 : n;
    if (std::ranges::none_of(network_.index(index).namespaces, leads_out)) continue;
    for (const Namespace& netns : network_.host(index).namespaces) {
      if (netns.dumps == nullptr || (!netns.name.starts_with("fip-") && !netns.name.starts_with("snat-")))
        continue;
      for (const auto& neighbour : netns.dumps->neighbours.value) {
        if (neighbour.value.ip != ip || !neighbour.value.mac) continue;
        recorder.step(hop, NeighbourHit{ip, *neighbour.value.mac, "known to " + netns.name, neighbour.at,
                                        neighbour.value.age});
        recorder.assume(
            "ASSUME_NEIGHBOUR_FROM_ELSEWHERE",
            "a MAC that a namespace does not know is taken from another one on the same external network");
        return neighbour.value.mac;
      }
    }
  }
  const Sourced<FdbEntry>* stranger = nullptr;
  for (const Bridge& bridge : network_.host(host_index).bridges) {
    if (bridge.dumps == nullptr || bridge.name == "br-int" || bridge.name == "br-tun") continue;
    for (const auto& entry : bridge.dumps->fdb.value) {
      const BridgePort* port = bridge.port(entry.value.port);
      const bool card = port != nullptr && port->type == PortType::System &&
                        !network_.physical_networks(host_index, port->name).empty();
      if (!card || !network_.owners(entry.value.mac).empty() || entry.value.mac.value >> 24 == 0xfa163f)
        continue;
      if (stranger != nullptr && stranger->value.mac != entry.value.mac)
        return std::nullopt;  // which of them is not said
      stranger = &entry;
    }
  }
  if (stranger == nullptr) return std::nullopt;
  recorder.step(hop, NeighbourHit{ip, stranger->value.mac, "the one MAC of no host here that was learned",
                                  stranger->at, stranger->value.age});
  recorder.assume("ASSUME_NEIGHBOUR_FROM_FDB",
                  "the MAC of a host outside is taken from a provider bridge's MAC table");
  return stranger->value.mac;
}

// Which of its addresses the kernel asks with (arp_announce, arp_solicit).
std::optional<Ip> Walk::asks_with(const Namespace& netns, const NetDevice& device, const Ip& source,
                                  const Ip& target) const {
  if (target.v4() && netns.addresses.contains(source)) {
    const long announce = netns.conf_max(device.name(), "arp_announce").value_or(0);
    if (announce == 0) return source;
    const bool near = std::ranges::any_of(device.link->value.addresses, [&](const auto& address) {
      return address.value.ip == source && address.value.network().contains(target);
    });
    if (announce == 1 && near) return source;
  }
  return source_on(device, target);
}

std::optional<Mac> Walk::resolve_for_device(std::size_t host_index, std::size_t netns_index,
                                            std::size_t device_index, const Ip& source, const Ip& target) {
  if (purpose_ == Purpose::Resolve) return std::nullopt;
  const Host& host = network_.host(host_index);
  const Namespace& netns = host.namespaces[netns_index];
  const NetDevice& device = netns.devices[device_index];
  const auto own = asks_with(netns, device, source, target);
  if (!device.link->value.mac || !own) return std::nullopt;
  Recorder scratch;
  scratch.keeps = Recorder::Keeps::Ends;
  Walk walk(network_, ports_, session_, scratch, Purpose::Resolve);
  Packet request = neighbour_request(*device.link->value.mac, *own, target);
  const std::size_t hop =
      scratch.hop(std::nullopt, {PlaceKind::Namespace, host.name, netns.name.empty() ? "root" : netns.name},
                  std::nullopt, request);
  walk.send(host_index, netns_index, device_index, std::move(request), hop);
  walk.run();
  return walk.answer_for(target);
}

std::optional<Mac> Walk::answer_for(const Ip& ip) const {
  const auto found = std::ranges::find(answers_, ip, &NeighbourAnswer::ip);
  return found == answers_.end() ? std::nullopt : std::optional(found->mac);
}

}  // namespace dvrtrace
