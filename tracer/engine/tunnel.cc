// Tunnels: from VTEP to VTEP, over whatever the hosts have between them.
#include <fmt/format.h>

#include <algorithm>

#include "tracer/engine/walk.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

Packet outer_packet(const TunnelEnd& tunnel, const Ip& local, const Ip& remote, Packet inner,
                    std::uint64_t key) {
  Packet outer;
  outer.encapsulation = {tunnel.type, static_cast<std::uint32_t>(key), local, remote};
  outer.size = inner.size + 50;
  outer.set(FieldId::EthType, remote.v6() ? openflow::kTypeIpv6 : openflow::kTypeIpv4);
  outer.set_ip_src(local);
  outer.set_ip_dst(remote);
  outer.set(FieldId::NwTtl, 64);
  const bool udp = tunnel.type == "vxlan" || tunnel.type == "geneve";
  outer.set(FieldId::NwProto, udp ? openflow::kProtoUdp : 47);
  if (udp) outer.set(FieldId::UdpDst, tunnel.udp_port);
  inner.key = wire_key(inner.key);
  outer.inner = std::make_shared<const Packet>(std::move(inner));
  return outer;
}

}  // namespace

void Walk::encapsulate(std::size_t host_index, const Emission& emission) {
  const Host& host = network_.host(host_index);
  const BridgePort& port = host.bridges[emission.bridge].ports[emission.port];
  const TunnelEnd& tunnel = port.tunnel;
  const auto refuse = [&](Verdict verdict, Reason reason, std::string text, std::string needs = {}) {
    recorder_.stop(emission.hop, verdict, reason, std::move(text), std::move(needs), port.at);
  };
  std::optional<Ip> remote = tunnel.remote, local = tunnel.local;
  if (tunnel.remote_by_flow || !remote) {
    const std::uint64_t by_flow = emission.packet.get(FieldId::TunDst);
    if (tunnel.remote_by_flow && by_flow == 0)
      return refuse(Verdict::Dropped, Reason::VtepUnknown, "the flow names no tunnel destination");
    if (tunnel.remote_by_flow) remote = ipv4(static_cast<std::uint32_t>(by_flow));
  }
  if (!remote)
    return refuse(Verdict::Unknown, Reason::DumpMissing,
                  fmt::format("no dump says where the tunnel {} leads", port.name),
                  "ovs-vsctl show on " + host.name);
  if (!local) {
    const auto configured = host.snapshot.config.values.find("ovs.local_ip");
    if (configured != host.snapshot.config.values.end()) local = parse_ip(configured->second.value);
  }
  const std::uint64_t key = tunnel.out_key ? *tunnel.out_key : emission.packet.get(FieldId::TunId);
  Packet outer =
      outer_packet(tunnel, local.value_or(Ip{remote->family, 0, 0}), *remote, emission.packet, key);
  const std::string title = fmt::format("{} > {}", to_string(outer.encapsulation.source), to_string(*remote));
  const std::size_t hop =
      recorder_.hop(emission.hop, {PlaceKind::Tunnel, "", title}, Device{"", port.name, port.number}, outer);
  recorder_.step(hop, Encapsulated{outer.encapsulation, port.name, port.at});
  const std::size_t far = network_.host_of_vtep(*remote);
  if (far == kNowhere) {
    return recorder_.stop(
        hop, Verdict::Unknown, Reason::HostMissing,
        fmt::format("no host of the snapshot has the tunnel endpoint {}", to_string(*remote)),
        fmt::format("the dumps of the host with {}", to_string(*remote)));
  }
  if (far == host_index)
    return recorder_.stop(hop, Verdict::Dropped, Reason::VtepUnknown,
                          fmt::format("{} is this host's own address", to_string(*remote)));
  if (underlay(host_index, emission.bridge, outer, hop)) return;
  recorder_.assume("ASSUME_UNDERLAY", "the network between the tunnel endpoints carries their packets");
  decapsulate(far, outer, hop, {});
}

// Sends the outer packet on its way over the host's own routes and bridges. False when the dumps do
// not show that way: then the tunnel is taken to work.
bool Walk::underlay(std::size_t host_index, std::size_t bridge, const Packet& packet,
                    std::size_t tunnel_hop) {
  const Host& host = network_.host(host_index);
  const std::size_t root = host.find_namespace("");
  if (root == kNowhere) return false;
  const Namespace& netns = host.namespaces[root];
  const RouteDecision decision =
      route(netns, host.name, {packet.ip_src(), packet.ip_dst(), "", "", 0, 0, packet.protocol(), 0, 0});
  if (decision.kind != RouteDecision::Kind::Route) return false;
  const std::size_t device_index = netns.find(decision.nexthop.device);
  if (device_index == kNowhere) return false;
  if (decision.nexthop.via) return false;  // the next routed hop of the underlay is not in the dumps
  const NetDevice& device = netns.devices[device_index];
  Packet outer = packet;
  const Ip nexthop = packet.ip_dst();
  std::optional<Mac> mac;
  const auto known = netns.neighbours.find(to_string(nexthop) + " " + device.name());
  if (known != netns.neighbours.end() && known->second->value.mac) mac = known->second->value.mac;
  if (!mac) {
    // The next hop's MAC as the host that has the address shows it.
    const std::size_t far = network_.host_of_vtep(nexthop);
    const NamespaceSnapshot* there = far == kNowhere ? nullptr : network_.index(far).find_namespace("");
    if (there != nullptr) {
      for (const auto& link : there->links.value) {
        for (const auto& address : link.value.addresses) {
          if (address.value.ip == nexthop) mac = link.value.mac;
        }
      }
    }
    if (!mac) return false;
  }
  if (!device.link->value.mac) return false;
  outer.set(FieldId::EthSrc, device.link->value.mac->value);
  outer.set(FieldId::EthDst, mac->value);
  if (device.behind == Behind::OvsPort) {
    if (!host.bridges[device.bridge].flows_present) return false;
    if (host.bridges[bridge].netdev) {
      // Encapsulated within the switch: the packet enters the bridge without passing the device.
      enter(Item::At::Bridge, host_index, device.bridge, device.port, std::move(outer), tunnel_hop, {});
      return true;
    }
  }
  const bool wire = device.behind == Behind::Wire && device.bridge == kNowhere;
  if (wire) {
    // A card outside Open vSwitch: whoever has the address takes the packet.
    const std::size_t far = network_.host_of_vtep(packet.ip_dst());
    const Host& there = network_.host(far);
    const std::size_t far_root = there.find_namespace("");
    const auto address = far_root == kNowhere ? Namespace{}.addresses.end()
                                              : there.namespaces[far_root].addresses.find(packet.ip_dst());
    recorder_.left_by(tunnel_hop, {"", device.name(), std::nullopt});
    std::vector<std::size_t> crossings{cross(host_index, root, device.name(), outer)};
    if (far_root != kNowhere && address != there.namespaces[far_root].addresses.end()) {
      crossings.push_back(
          cross(far, far_root, there.namespaces[far_root].devices[address->second].name(), outer));
    }
    decapsulate(far, outer, tunnel_hop, std::move(crossings));
    return true;
  }
  send(host_index, root, device_index, std::move(outer), tunnel_hop);
  return true;
}

bool Walk::is_vtep(std::size_t host_index, const Packet& packet) const {
  if (packet.inner == nullptr) return false;
  return network_.host_of_vtep(packet.encapsulation.destination) == host_index;
}

// Which tunnel port a packet comes out of: the most exact of those that fit (ofproto/tunnel.c).
void Walk::decapsulate(std::size_t host_index, const Packet& outer, std::size_t by,
                       std::vector<std::size_t> crossings) {
  const Host& host = network_.host(host_index);
  const Encapsulation& tunnel = outer.encapsulation;
  std::size_t best_bridge = kNowhere, best_port = kNowhere;
  int best = -1;
  for (std::size_t b = 0; b < host.bridges.size(); ++b) {
    for (std::size_t p = 0; p < host.bridges[b].ports.size(); ++p) {
      const BridgePort& port = host.bridges[b].ports[p];
      if (port.type != PortType::Tunnel || port.tunnel.type != tunnel.type || port.number == kPortNone)
        continue;
      const TunnelEnd& end = port.tunnel;
      if (end.in_key && *end.in_key != tunnel.vni) continue;
      if (end.remote && *end.remote != tunnel.source) continue;
      if (end.local && *end.local != tunnel.destination) continue;
      const int exact = (end.in_key ? 4 : 0) + (end.remote ? 2 : 0) + (end.local ? 1 : 0);
      if (exact <= best) continue;
      best = exact;
      best_bridge = b;
      best_port = p;
    }
  }
  if (best_bridge == kNowhere) {
    const std::size_t hop =
        recorder_.hop(by,
                      {PlaceKind::Tunnel, host.name,
                       fmt::format("{} > {}", to_string(tunnel.source), to_string(tunnel.destination))},
                      std::nullopt, outer);
    recorder_.lead_into(crossings, hop);
    const bool known = host.snapshot.ovs.present();
    return recorder_.stop(hop, known ? Verdict::Dropped : Verdict::Unknown,
                          known ? Reason::VtepUnknown : Reason::DumpMissing,
                          fmt::format("{} has no {} port for packets from {}", host.name, tunnel.type,
                                      to_string(tunnel.source)),
                          known ? "" : "ovs-vsctl show on " + host.name);
  }
  Packet inner = *outer.inner;
  inner.set(FieldId::TunId, tunnel.vni);
  if (tunnel.source.v4()) {
    inner.set(FieldId::TunSrc, tunnel.source.low);
    inner.set(FieldId::TunDst, tunnel.destination.low);
  }
  enter(Item::At::Bridge, host_index, best_bridge, best_port, std::move(inner), by, std::move(crossings));
}

}  // namespace dvrtrace
