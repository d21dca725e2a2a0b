#include "tracer/engine/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "tracer/engine/fill.h"

namespace dvrtrace {

using openflow::FieldId;

// --- beginnings ----------------------------------------------------------------------------------------

void Walk::from_vm(std::size_t port, Packet packet) {
  const CloudPort& vm = ports_.at(port);
  const std::size_t hop = recorder_.hop(
      std::nullopt, {PlaceKind::Vm, network_.index(vm.host).name, vm.title()}, std::nullopt, packet);
  recorder_.left_by(hop, {"", vm.device, std::nullopt});
  const Host& host = network_.host(vm.host);
  const std::size_t root = host.find_namespace("");
  const std::size_t device = root == kNowhere ? kNowhere : host.namespaces[root].find(vm.device);
  const std::size_t bridge = host.find_bridge(vm.bridge);
  std::vector<std::size_t> crossings;
  // The hybrid firewall plugs the VM's tap into a Linux bridge; what OVS has is the far end of a veth.
  if (device != kNowhere && vm.device.starts_with("qvo") &&
      host.namespaces[root].find("tap" + vm.device.substr(3)) != kNowhere) {
    const std::size_t tap = host.namespaces[root].find("tap" + vm.device.substr(3));
    crossings.push_back(cross(vm.host, root, host.namespaces[root].devices[tap].name(), packet));
    receive(vm.host, root, tap, std::move(packet), hop, std::move(crossings));
    return run();
  }
  if (bridge == kNowhere) {
    recorder_.stop(hop, Verdict::Unknown, Reason::DumpMissing,
                   fmt::format("no dump of {} says which bridge {} is on", host.name, vm.device),
                   "ovs-vsctl show on " + host.name);
    return;
  }
  if (device != kNowhere) {
    if (!host.namespaces[root].devices[device].up()) {
      recorder_.stop(hop, Verdict::Dropped, Reason::DeviceDown, fmt::format("{} is down", vm.device), {},
                     host.namespaces[root].devices[device].link->at);
      return;
    }
  }
  crossings.push_back(cross(vm.host, root, vm.device, packet));
  const auto& ports = host.bridges[bridge].ports;
  const bool joined = device != kNowhere && host.namespaces[root].devices[device].bridge == bridge;
  const std::size_t port_index =
      joined
          ? host.namespaces[root].devices[device].port
          : static_cast<std::size_t>(std::ranges::find(ports, vm.device, &BridgePort::name) - ports.begin());
  if (port_index >= ports.size()) return;
  enter(Item::At::Bridge, vm.host, bridge, port_index, std::move(packet), hop, std::move(crossings));
  run();
}

void Walk::from_namespace(std::size_t host, std::size_t netns, Packet packet) {
  enter(Item::At::Originate, host, netns, kNowhere, std::move(packet), std::nullopt, {});
  run();
}

void Walk::from_device(std::size_t host, std::size_t netns, std::size_t device, Packet packet) {
  const Host& h = network_.host(host);
  const Namespace& from = h.namespaces[netns];
  const std::size_t hop =
      recorder_.hop(std::nullopt, {PlaceKind::Namespace, h.name, from.name.empty() ? "root" : from.name},
                    std::nullopt, packet);
  send(host, netns, device, std::move(packet), hop);
  run();
}

void Walk::from_outside(std::size_t host, const std::string& device, Packet packet) {
  const std::size_t hop =
      recorder_.hop(std::nullopt, {PlaceKind::Outside, "", "outside"}, std::nullopt, packet);
  enter(Item::At::Wire, host, kNowhere, kNowhere, std::move(packet), hop, {}, device);
  run();
}

// --- the worklist ----------------------------------------------------------------------------------------

void Walk::run() {
  while (!items_.empty()) {
    std::list<Item> taken;
    taken.splice(taken.begin(), items_, items_.begin());
    const Item& item = taken.front();
    if (recorder_.direction.hops.size() >= Session::kMaxHops) {
      if (item.parent)
        recorder_.stop(*item.parent, Verdict::Looped, Reason::Loop,
                       fmt::format("more than {} hops: the packet goes round", Session::kMaxHops));
      items_.clear();
      return;
    }
    step(item);
  }
}

void Walk::step(const Item& item) {
  switch (item.at) {
    case Item::At::Bridge:
      return at_bridge(item);
    case Item::At::Namespace:
      return at_namespace(item);
    case Item::At::Originate:
      return originate(item);
    case Item::At::LinuxBridge:
      return at_linux_bridge(item);
    case Item::At::Wire:
      return at_wire(item);
    case Item::At::Vm:
      return at_vm(item);
  }
}

std::size_t Walk::begin_hop(const Item& item, Place place, std::optional<Device> in) {
  const std::size_t hop = recorder_.hop(item.parent, std::move(place), std::move(in), item.packet);
  recorder_.lead_into(item.crossings, hop);
  return hop;
}

bool Walk::too_big(const NetDevice& device, const Packet& packet) const {
  return device.link->value.mtu != 0 && packet.size > device.link->value.mtu;
}

std::size_t Walk::cross(std::size_t host, std::size_t netns, const std::string& device,
                        const Packet& packet) {
  const Host& h = network_.host(host);
  return recorder_.cross(h.name, netns == kNowhere ? "" : h.namespaces[netns].name, device, packet);
}

// --- bridges -----------------------------------------------------------------------------------------------

// The same packet at the same port of the same place above it: a loop.
bool Walk::seen_before(std::size_t hop) const {
  const Direction& direction = recorder_.direction;
  const Hop& here = direction.hops[hop];
  for (auto at = here.parent; at; at = direction.hops[*at].parent) {
    const Hop& above = direction.hops[*at];
    if (above.place == here.place && above.in == here.in && above.arrived == here.arrived) return true;
  }
  return false;
}

void Walk::at_bridge(const Item& item) {
  const Host& host = network_.host(item.host);
  const Bridge& bridge = host.bridges[item.place];
  const BridgePort& port = bridge.ports[item.device];
  const std::size_t hop =
      begin_hop(item, {PlaceKind::Bridge, host.name, bridge.name}, Device{"", port.name, port.number});
  if (seen_before(hop)) {
    return recorder_.stop(hop, Verdict::Looped, Reason::Loop,
                          fmt::format("the same packet was at {} before", port.name));
  }
  if (port.number == kPortNone) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NoSuchPort,
                          fmt::format("{} could not be opened: it has no port number", port.name), {},
                          port.at);
  }
  const auto learned_later = [&](const openflow::FlowRow* row) {
    return row->flow.match.value_of(FieldId::EthDst).low == item.packet.eth_dst().value &&
           row->flow.match.mask_of(FieldId::EthDst) == openflow::ones128(48);
  };
  if (std::ranges::any_of(bridge.younger, learned_later)) {
    recorder_.assume(
        "ASSUME_LEARNED_LATER",
        "a learned flow is younger than the MAC tables that were given: it is taken not to have been there");
  }
  Pipeline pipeline(network_, item.host, session_, recorder_, tape_);
  const auto emissions = pipeline.run(item.place, item.device, item.packet, hop);
  for (std::size_t each = hop; each < recorder_.direction.hops.size();
       ++each) {  // patch ports led to the others
    Hop& passed = recorder_.direction.hops[each];
    const std::size_t at =
        passed.place.kind == PlaceKind::Bridge ? host.find_bridge(passed.place.name) : kNowhere;
    if (at != kNowhere && filled_in(host.bridges[at])) passed.origin = Origin::Reference;
  }
  for (const Emission& emission : emissions) leave_bridge(item.host, emission);
}

void Walk::leave_bridge(std::size_t host_index, const Emission& emission) {
  const Host& host = network_.host(host_index);
  const Bridge& bridge = host.bridges[emission.bridge];
  const BridgePort& port = bridge.ports[emission.port];
  if (port.type == PortType::Tunnel) return encapsulate(host_index, emission);
  Packet packet = emission.packet;
  packet.mark = static_cast<std::uint32_t>(packet.get(FieldId::PktMark));
  packet.key = wire_key(packet.key);
  if (port.type == PortType::VhostUser) {
    return enter(Item::At::Vm, host_index, kNowhere, kNowhere, std::move(packet), emission.hop, {},
                 port.name);
  }
  if (port.netns == kNowhere) {
    if (port.type == PortType::Internal && port.number == kPortLocal) {
      return recorder_.note(emission.hop, [&] {
        return fmt::format("a copy to the bridge's own device {}, which no dump shows", port.name);
      });
    }
    if (ports_.behind(host_index, port.name) != kNowhere) {
      const std::size_t crossing = recorder_.cross(host.name, "", port.name, packet);
      return enter(Item::At::Vm, host_index, kNowhere, kNowhere, std::move(packet), emission.hop, {crossing},
                   port.name);
    }
    if (port.type == PortType::System) {
      const std::size_t crossing = recorder_.cross(host.name, "", port.name, packet);
      return enter(Item::At::Wire, host_index, kNowhere, kNowhere, std::move(packet), emission.hop,
                   {crossing}, port.name);
    }
    return recorder_.stop(emission.hop, Verdict::Unknown, Reason::DumpMissing,
                          fmt::format("no dump shows the device {} and its namespace", port.name),
                          fmt::format("ip -d address of every namespace on {}", host.name), port.at);
  }
  const NetDevice& device = host.namespaces[port.netns].devices[port.device];
  if (!device.up()) {
    if (port.number != kPortLocal)
      recorder_.note(
          emission.hop, [&] { return fmt::format("{} is down: this copy is lost", port.name); },
          device.link->at);
    return;
  }
  if (too_big(device, packet)) {
    return recorder_.stop(emission.hop, Verdict::Dropped, Reason::MtuExceeded,
                          fmt::format("{} bytes do not fit the MTU {} of {}: a bridge fragments nothing",
                                      packet.size, device.link->value.mtu, port.name),
                          {}, device.link->at);
  }
  // The userspace datapath takes tunnel packets for its own addresses before the device sees them.
  if (port.type == PortType::Internal && bridge.netdev && is_vtep(host_index, packet))
    return decapsulate(host_index, packet, emission.hop, {});
  std::vector<std::size_t> crossings{cross(host_index, port.netns, port.name, packet)};
  if (port.type == PortType::Internal)
    return receive(host_index, port.netns, port.device, std::move(packet), emission.hop,
                   std::move(crossings));
  behind(host_index, port.netns, port.device, std::move(packet), emission.hop, std::move(crossings));
}

// --- devices -------------------------------------------------------------------------------------------------

void Walk::send(std::size_t host_index, std::size_t netns, std::size_t device_index, Packet packet,
                std::size_t by) {
  const Host& host = network_.host(host_index);
  const NetDevice& device = host.namespaces[netns].devices[device_index];
  recorder_.left_by(by, {host.namespaces[netns].name, device.name(), std::nullopt});
  if (!device.up()) {
    return recorder_.stop(by, Verdict::Dropped, Reason::DeviceDown, fmt::format("{} is down", device.name()),
                          {}, device.link->at);
  }
  std::vector<std::size_t> crossings{cross(host_index, netns, device.name(), packet)};
  behind(host_index, netns, device_index, std::move(packet), by, std::move(crossings));
}

void Walk::behind(std::size_t host_index, std::size_t netns, std::size_t device_index, Packet packet,
                  std::size_t by, std::vector<std::size_t> crossings) {
  const Host& host = network_.host(host_index);
  const NetDevice& device = host.namespaces[netns].devices[device_index];
  switch (device.behind) {
    case Behind::OvsPort:
      return enter(Item::At::Bridge, host_index, device.bridge, device.port, std::move(packet), by,
                   std::move(crossings));
    case Behind::VethPeer: {
      const NetDevice& peer = host.namespaces[device.peer_netns].devices[device.peer];
      if (!peer.up())
        return recorder_.stop(by, Verdict::Dropped, Reason::DeviceDown,
                              fmt::format("{}, the other end of {}, is down", peer.name(), device.name()), {},
                              peer.link->at);
      if (too_big(peer, packet)) {
        return recorder_.stop(by, Verdict::Dropped, Reason::MtuExceeded,
                              fmt::format("{} bytes do not fit the MTU {} of {}, the other end of {}",
                                          packet.size, peer.link->value.mtu, peer.name(), device.name()),
                              {}, peer.link->at);
      }
      crossings.push_back(cross(host_index, device.peer_netns, peer.name(), packet));
      return receive(host_index, device.peer_netns, device.peer, std::move(packet), by, std::move(crossings));
    }
    case Behind::VlanOf: {
      packet.set(FieldId::VlanTci1, packet.get(FieldId::VlanTci));
      packet.set(FieldId::VlanTci, openflow::kVlanPresent | device.link->value.vlan_id.value_or(0));
      crossings.push_back(cross(host_index, device.peer_netns,
                                host.namespaces[device.peer_netns].devices[device.peer].name(), packet));
      return behind(host_index, device.peer_netns, device.peer, std::move(packet), by, std::move(crossings));
    }
    case Behind::LinuxBridge:
      return enter(Item::At::LinuxBridge, host_index, netns, device_index, std::move(packet), by,
                   std::move(crossings));
    case Behind::Loopback:
      return receive(host_index, netns, device_index, std::move(packet), by, std::move(crossings));
    case Behind::Wire:
      return enter(Item::At::Wire, host_index, netns, device_index, std::move(packet), by,
                   std::move(crossings), device.name());
    case Behind::Unknown:
      return enter(Item::At::Vm, host_index, netns, device_index, std::move(packet), by, std::move(crossings),
                   device.name());
  }
}

void Walk::receive(std::size_t host_index, std::size_t netns, std::size_t device_index, Packet packet,
                   std::size_t by, std::vector<std::size_t> crossings) {
  const Host& host = network_.host(host_index);
  const NetDevice& device = host.namespaces[netns].devices[device_index];
  if (device.bridge != kNowhere &&
      device.behind != Behind::OvsPort) {  // a system port: Open vSwitch takes it
    return enter(Item::At::Bridge, host_index, device.bridge, device.port, std::move(packet), by,
                 std::move(crossings));
  }
  if (device.master != kNowhere)
    return enter(Item::At::LinuxBridge, host_index, netns, device_index, std::move(packet), by,
                 std::move(crossings));
  // A VLAN device above this one takes what carries its tag.
  if ((packet.get(FieldId::VlanTci) & openflow::kVlanPresent) != 0) {
    const auto vid = static_cast<std::uint16_t>(packet.get(FieldId::VlanTci) & 0xfff);
    const auto& devices = host.namespaces[netns].devices;
    for (std::size_t d = 0; d < devices.size(); ++d) {
      if (devices[d].behind != Behind::VlanOf || devices[d].peer != device_index ||
          devices[d].link->value.vlan_id != vid)
        continue;
      packet.set(FieldId::VlanTci, packet.get(FieldId::VlanTci1));
      packet.set(FieldId::VlanTci1, 0);
      crossings.push_back(cross(host_index, netns, devices[d].name(), packet));
      return receive(host_index, netns, d, std::move(packet), by, std::move(crossings));
    }
  }
  enter(Item::At::Namespace, host_index, netns, device_index, std::move(packet), by, std::move(crossings));
}

// --- wires -----------------------------------------------------------------------------------------------------

// A standby HA router's ports have the active one's MACs, but no addresses: no switch has learned them there.
std::vector<Owner> Walk::in_use(std::vector<Owner> owners) const {
  const auto addressed = [&](const Owner& owner) {
    if (owner.kind != Owner::Kind::Device) return true;
    const NamespaceSnapshot* netns = network_.index(owner.host).find_namespace(owner.netns);
    if (netns == nullptr) return false;
    return std::ranges::any_of(netns->links.value, [&](const auto& link) {
      return link.value.name == owner.device && !link.value.addresses.empty();
    });
  };
  if (std::ranges::any_of(owners, addressed))
    std::erase_if(owners, [&](const Owner& owner) { return !addressed(owner); });
  return owners;
}

void Walk::at_wire(const Item& item) {
  const Host& host = network_.host(item.host);
  const auto physical = network_.physical_networks(item.host, item.name);
  std::string title = item.name + " of " + host.name;
  if (!physical.empty()) {
    title.clear();
    for (const std::string& name : physical) title += (title.empty() ? "" : ",") + name;
  }
  const std::size_t hop = begin_hop(item, {PlaceKind::Wire, "", title}, std::nullopt);
  const bool from_outside =
      item.parent && recorder_.direction.hops[*item.parent].place.kind == PlaceKind::Outside;
  auto attached = network_.on_the_wire(item.host, item.name);
  if (from_outside) attached.insert(attached.begin(), {item.host, item.name});
  const Mac destination = item.packet.eth_dst();
  const auto owners = in_use(network_.owners(destination));
  const auto owned_by = [&](std::size_t owner) {
    return std::ranges::any_of(owners, [&](const Owner& candidate) { return candidate.host == owner; });
  };
  const bool known =
      std::ranges::any_of(attached, [&](const Network::Attached& far) { return owned_by(far.host); });
  std::size_t delivered = 0;
  for (const Network::Attached& far : attached) {
    // The physical switches are taken to have learned where a MAC is.
    if (!destination.multicast() && !(known && owned_by(far.host))) continue;
    const Host& there = network_.host(far.host);
    const std::size_t root = there.find_namespace("");
    const std::size_t device = root == kNowhere ? kNowhere : there.namespaces[root].find(far.device);
    std::vector<std::size_t> crossings{recorder_.cross(there.name, "", far.device, item.packet)};
    recorder_.left_by(hop, {"", there.name + " " + far.device, std::nullopt});
    ++delivered;
    if (device != kNowhere) {
      receive(far.host, root, device, item.packet, hop, std::move(crossings));
      continue;
    }
    for (std::size_t b = 0; b < there.bridges.size(); ++b) {
      for (std::size_t p = 0; p < there.bridges[b].ports.size(); ++p) {
        if (there.bridges[b].ports[p].name == far.device)
          enter(Item::At::Bridge, far.host, b, p, item.packet, hop, crossings);
      }
    }
  }
  if (!destination.multicast() && known)
    recorder_.assume("ASSUME_PHYSICAL_SWITCH_LEARNED",
                     "the physical network sends a known MAC only where it is");
  if (delivered > 0 && !destination.multicast()) return;
  if (from_outside) {
    if (delivered == 0)
      recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost,
                     fmt::format("no host of the snapshot has {}", to_string(destination)));
    return;
  }
  if (const auto told = answer_in(item.packet)) answers_.push_back({hop, told->first, told->second});
  const std::size_t out = recorder_.hop(hop, {PlaceKind::Outside, "", "outside"}, std::nullopt, item.packet);
  arrivals_.push_back({Arrival::Kind::Outside, out, item.host, kNowhere, kNowhere, kNowhere, item.packet});
}

// --- Linux bridges -----------------------------------------------------------------------------------------------

void Walk::at_linux_bridge(const Item& item) {
  const Host& host = network_.host(item.host);
  const Namespace& netns = host.namespaces[item.place];
  const NetDevice& in = netns.devices[item.device];
  const bool from_self = in.behind == Behind::LinuxBridge;
  const std::size_t bridge_index = from_self ? item.device : in.master;
  const NetDevice& bridge = netns.devices[bridge_index];
  const std::size_t hop = begin_hop(item, {PlaceKind::LinuxBridge, host.name, bridge.name()},
                                    Device{netns.name, in.name(), std::nullopt});
  if (!bridge.up())
    return recorder_.stop(hop, Verdict::Dropped, Reason::DeviceDown, fmt::format("{} is down", bridge.name()),
                          {}, bridge.link->at);
  // The bridge's own device gets a copy (br_pass_frame_up), which leads nowhere; the packet goes on by a port.
  if (!from_self) cross(item.host, item.place, bridge.name(), item.packet);

  const Mac destination = item.packet.eth_dst();
  std::vector<std::size_t> to;
  Switched step;
  const auto known = netns.bridge_fdb.find(bridge.name() + " " + to_string(destination));
  const bool learns = bridge.link->value.bridge_ageing.value_or(1) != 0;
  if (!destination.multicast() && learns && known != netns.bridge_fdb.end()) {
    if (known->second == item.device)
      return recorder_.stop(hop, Verdict::Dropped, Reason::NotForwarded,
                            fmt::format("{} is behind the port it came in by", to_string(destination)));
    to.push_back(known->second);
    step.port = netns.devices[known->second].name();
  } else {
    for (std::size_t d = 0; d < netns.devices.size(); ++d) {
      if (netns.devices[d].master != bridge_index || d == item.device || !netns.devices[d].up()) continue;
      to.push_back(d);
      step.ports.push_back(netns.devices[d].name());
    }
  }
  recorder_.step(hop, std::move(step));
  const bool filters = item.packet.ip() && netns.sysctl(item.packet.eth_type() == openflow::kTypeIpv6
                                                            ? "net.bridge.bridge-nf-call-ip6tables"
                                                            : "net.bridge.bridge-nf-call-iptables")
                                                   .value_or(0) != 0;
  for (const std::size_t out : to) {
    Packet packet = item.packet;
    if (filters) {
      // br_netfilter: the bridged packet goes through the namespace's own chains.
      Netfilter netfilter(network_, host, netns, session_, recorder_, hop);
      HookContext context;
      context.in = context.out = bridge.name();
      context.physdev_in = from_self ? "" : in.name();
      context.bridged = true;
      context.out.clear();
      if (netfilter.prerouting(packet, context) != HookVerdict::Accept) return;
      context.out = bridge.name();
      context.physdev_out = netns.devices[out].name();
      if (netfilter.forward(packet, context) != HookVerdict::Accept) return;
      if (netfilter.postrouting(packet, context) != HookVerdict::Accept) return;
    }
    if (const NetDevice& device = netns.devices[out]; too_big(device, packet)) {
      recorder_.stop(hop, Verdict::Dropped, Reason::MtuExceeded,
                     fmt::format("{} bytes do not fit the MTU {} of {}: a bridge fragments nothing",
                                 packet.size, device.link->value.mtu, device.name()),
                     {}, device.link->at);
      continue;
    }
    send(item.host, item.place, out, std::move(packet), hop);
  }
  if (to.empty())
    recorder_.stop(hop, Verdict::Dropped, Reason::FloodEmpty,
                   fmt::format("{} has no other port", bridge.name()));
}

// --- VMs -----------------------------------------------------------------------------------------------------------

void Walk::at_vm(const Item& item) {
  const std::size_t port = ports_.behind(item.host, item.name);
  const Host& host = network_.host(item.host);
  if (port == kNowhere) {
    const std::size_t hop =
        begin_hop(item, {PlaceKind::Vm, host.name, item.name}, Device{"", item.name, std::nullopt});
    return recorder_.stop(hop, Verdict::Unknown, Reason::HiddenState,
                          fmt::format("what is behind {} is in no dump", item.name),
                          "ovs-vsctl -f json list Interface on " + host.name);
  }
  const CloudPort& vm = ports_.at(port);
  const std::size_t hop =
      begin_hop(item, {PlaceKind::Vm, host.name, vm.title()}, Device{"", item.name, std::nullopt});
  const Mac destination = item.packet.eth_dst();
  if (!destination.multicast() && destination != vm.mac) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, [&] {
      return fmt::format("the frame is for {}, the VM has {}: it ignores it", to_string(destination),
                         to_string(vm.mac));
    });
  }
  if (const auto target = asked_for(item.packet)) return vm_is_asked(item, hop, port, *target);
  if (const auto told = answer_in(item.packet)) return vm_is_told(item, hop, port, told->first, told->second);
  if (!item.packet.ip())
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost, "not an IP packet");
  const Ip to = item.packet.ip_dst();
  const bool mine = vm.ips.empty() || std::ranges::find(vm.ips, to) != vm.ips.end() || to.multicast() ||
                    (to.v4() && to.low == 0xffffffff) || (to.v6() && to == link_local_of(vm.mac));
  const bool paired = std::ranges::find(vm.others, to) != vm.others.end();
  if (paired && !mine)
    recorder_.assume("ASSUME_PAIR_ADDRESS_IN_USE",
                     "a VM is taken to have the addresses that an allowed address pair lets it use");
  if (!mine && !paired) {
    return recorder_.stop(hop, Verdict::Dropped, Reason::NotForThisHost,
                          fmt::format("{} is no address of {}", to_string(item.packet.ip_dst()), vm.title()));
  }
  arrivals_.push_back({Arrival::Kind::Vm, hop, item.host, kNowhere, kNowhere, port, item.packet});
}

}  // namespace dvrtrace
