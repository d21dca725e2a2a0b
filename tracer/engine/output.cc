// Where packets leave a bridge: ports, tunnels, patch ports.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::Bits128;
using openflow::FieldId;
using openflow::FlowKey;

namespace {

// On entering a bridge, everything but headers and the packet's mark is fresh.
FlowKey fresh_key(const FlowKey& key, Ofport in_port) {
  FlowKey fresh = wire_key(key);
  set64(fresh, FieldId::PktMark, get64(key, FieldId::PktMark));
  set64(fresh, FieldId::SkbPriority, get64(key, FieldId::SkbPriority));
  set64(fresh, FieldId::InPort, in_port.value);
  set64(fresh, FieldId::ActsetOutput, kPortUnset.value);
  return fresh;
}

}  // namespace

void Translation::output(State& state, Ofport port) {
  if (port == kPortNormal) return normal(state);
  if (port == kPortFlood || port == kPortAll) return flood(state, port == kPortAll);
  if (port == kPortNone) return;
  if (port == kPortTable) {
    resubmit(state, {std::nullopt, TableId{0}, false});
    return;
  }
  if (port == kPortController) return controller(state, "a copy goes to the controller");
  const bool back = port == kPortInPort;
  if (back)
    port = state.in_port();
  else if (port == state.in_port())
    return write(state, TapeWarning{"skipping output to input port"});
  const Bridge& bridge = bridge_of(state);
  const auto found = bridge.by_number.find(port.value);
  if (found == bridge.by_number.end()) {
    if (!bridge.known_ports) {
      unknown(state, Reason::DumpMissing,
              fmt::format("no dump says what port {} of {} is", port.value, bridge.name),
              ofctl("show", bridge.name));
      return;
    }
    return write(state, TapeWarning{fmt::format("Nonexistent output port {}", port.value)});
  }
  output_to(state, found->second, state.packet);
}

// A copy cut to some length: only a real port sends it.
Translation::Flow Translation::output_truncated(State& state, Ofport port) {
  if (port == kPortInPort)
    port = state.in_port();
  else if (port == state.in_port()) {
    write(state, TapeWarning{"skipping output to input port"});
    return Flow::Go;
  }
  const BridgePort* out = bridge_of(state).port(port);
  if (out != nullptr && out->type == PortType::Patch)
    write(state, TapeWarning{"output_trunc does not support patch output action"});
  else if (out != nullptr || port.value < kFirstReservedPort.value)
    output(state, port);
  else
    write(state, TapeWarning{fmt::format("output_trunc does not support port: {}", port.value)});
  return Flow::Go;
}

void Translation::output_to(State& state, std::size_t port_index, const Packet& packet, SpanningTree tree) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort& port = bridge.ports[port_index];
  if (port.no_fwd)
    return note(state, fmt::format("port {} does not forward (NO_FWD): no output", port.name), port.at);
  if (const BridgePort* in = bridge.port(state.in_port());
      in != nullptr && bridge.bundles[port.bundle].is_protected && bridge.bundles[in->bundle].is_protected) {
    return write(state,
                 TapeWarning{fmt::format("{} and the port it came in by are both protected", port.name)});
  }
  if (port.blocked && tree == SpanningTree::Obey)
    return write(state, TapeWarning{"the spanning tree is not in forwarding state, skipping output"});
  if (port.type == PortType::Patch) return cross_patch(state, port_index, packet);
  if (!policy_.guess && native_tunnel_possible(state, port, packet)) {
    unknown(state, Reason::HiddenState,
            fmt::format("the userspace datapath tunnels by itself: what becomes of output to {} depends on "
                        "its routes and neighbours",
                        port.name),
            "ovs-appctl ovs/route/show; ovs-appctl tnl/neigh/show");
    return;
  }
  Emission emission{state.hop, state.bridge, port_index, packet, tape_.passes.size() - 1};
  if (port.type == PortType::Tunnel && !tunnel_output(state, port, emission.packet)) return;
  write(state, TapeOutput{port_index, false});
  count_actions(emission.packet.key);
  emissions_.push_back(std::move(emission));
  mirror(state, bridge.bundles[port.bundle], packet, true);
}

// What the tunnel's own configuration writes into the packet; not where the tunnel would end at ourselves.
bool Translation::tunnel_output(State& state, const BridgePort& port, Packet& packet) {
  const TunnelEnd& end = port.tunnel;
  if (!end.remote_by_flow && end.remote) {
    if (end.remote->v6())
      set(packet.key, FieldId::TunIpv6Dst, {end.remote->high, end.remote->low});
    else
      packet.set(FieldId::TunDst, end.remote->low);
  }
  if (end.out_key) packet.set(FieldId::TunId, *end.out_key);
  const bool v6 = end.remote && end.remote->v6();
  if (!v6 && packet.get(FieldId::TunDst) == state.tun_dst_on_arrival &&
      get(packet.key, FieldId::TunIpv6Dst) == Bits128{}) {
    write(state, TapeWarning{"Not tunneling to our own address"});
    return false;
  }
  return true;
}

// In the userspace datapath a tunnel's packet goes on through another bridge, and what is sent to an
// internal port may be taken out of its tunnel there. With one bridge there is nothing to go through.
bool Translation::native_tunnel_possible(const State& state, const BridgePort& port,
                                         const Packet& packet) const {
  const Bridge& bridge = bridge_of(state);
  if (bridge.row == nullptr || bridge.row->datapath_type.empty() || bridge.row->datapath_type == "system")
    return false;
  const auto tunnels_elsewhere = [&](const Bridge& other) {
    return &other != &bridge &&
           std::ranges::any_of(other.ports, [](const BridgePort& p) { return p.type == PortType::Tunnel; });
  };
  if (port.type == PortType::Tunnel) {
    return std::ranges::any_of(host_.bridges, [&](const Bridge& other) {
      return &other != &bridge && std::ranges::any_of(other.ports, [](const BridgePort& p) {
        return p.type == PortType::System && p.number != kPortNone;
      });
    });
  }
  constexpr std::array<std::uint64_t, 5> kUdp = {4789, 6081, 2152, 6635, 7471};
  constexpr std::uint8_t kGre = 47;
  const bool tunnelled =
      packet.ip() &&
      (packet.protocol() == kGre || (packet.protocol() == openflow::kProtoUdp &&
                                     std::ranges::find(kUdp, packet.get(FieldId::UdpDst)) != kUdp.end()));
  return port.type == PortType::Internal && tunnelled &&
         std::ranges::any_of(host_.bridges, tunnels_elsewhere);
}

void Translation::cross_patch(State& state, std::size_t port_index, const Packet& packet) {
  const BridgePort& port = bridge_of(state).ports[port_index];
  if (port.peer_bridge == kNowhere) {
    write(state, TapeOutput{port_index, true});
    unknown(state, Reason::NoSuchPort, fmt::format("patch port {} leads to no known bridge", port.name),
            "ovs-vsctl show on " + host_.name, port.at);
    return;
  }
  if (policy_.ct_next == nullptr && hops_before_ + tape_.hops.size() >= Session::kMaxHops) {
    return fail(state, fmt::format("over {} copies of the packet: patch ports in a loop", Session::kMaxHops),
                "Recursion too deep", Verdict::Looped);
  }
  write(state, TapeOutput{port_index, false});
  const BridgePort& far = host_.bridges[port.peer_bridge].ports[port.peer_port];
  State peer;
  peer.bridge = port.peer_bridge;
  peer.packet = packet;
  peer.packet.key = fresh_key(packet.key, far.number);
  peer.hop = tape_.hops.size();
  peer.popped_mpls = state.popped_mpls;
  tape_.hops.push_back({state.hop, port.peer_bridge, port.peer_port, peer.packet});
  const std::uint32_t mirrored = mirrored_;
  if (port.peer_bridge != state.bridge) mirrored_ = 0;
  enter(peer, Entry::ByPatchPort);
  if (port.peer_bridge != state.bridge) mirrored_ = mirrored;
  exited_ = false;  // what ends there ends there, and so does what failed there
  if (failed_) forgive();
}

}  // namespace dvrtrace
