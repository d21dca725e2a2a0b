// NORMAL and FLOOD: the switch inside Open vSwitch (xlate_normal of ofproto-dpif-xlate.c).
#include <fmt/format.h>

#include <algorithm>

#include "tracer/engine/pipeline.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

// 01:80:c2:00:00:0x and the vendors' like (eth_addr_is_reserved).
bool reserved_multicast(Mac mac) {
  if ((mac.value & 0xfffffffffff0) == 0x0180c2000000) return true;
  switch (mac.value) {
    case 0x01000ccccccc: case 0x01000ccccccd: case 0x01000ccdcdcd: case 0x01000c000000:
    case 0x00e02b000000: case 0x00e02b000004: case 0x00e02b000006: case 0x01005e0000de: return mac.value != 0x01005e0000de;
    default: return false;
  }
}

bool flag_set(const StringMap& map, std::string_view key) {
  const auto found = map.find(key);
  return found != map.end() && found->second == "true";
}

}  // namespace

// The internal VLAN of the packet; none when the port does not take it in.
std::optional<std::uint16_t> Pipeline::admit(State& state, const Bundle& in) {
  const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
  const auto vid = static_cast<std::uint16_t>((tci & openflow::kVlanPresent) != 0 ? tci & 0xfff : 0);
  const auto refuse = [&](std::string text) -> std::optional<std::uint16_t> {
    recorder_.stop(state.hop, Verdict::Dropped, Reason::NotAdmitted, std::move(text));
    return std::nullopt;
  };
  switch (in.mode) {
    case VlanMode::Access:
      if (vid != 0) return refuse(fmt::format("VLAN {} tagged packet received on {}, a port of VLAN {} access mode", vid, in.name, in.tag));
      return in.tag;
    case VlanMode::Trunk:
      if (!in.trunks_vlan(vid)) return refuse(fmt::format("{} does not trunk VLAN {}", in.name, vid));
      return vid;
    case VlanMode::NativeTagged:
    case VlanMode::NativeUntagged:
      if (vid == 0) return in.tag;
      if (!in.trunks_vlan(vid)) return refuse(fmt::format("{} does not trunk VLAN {}", in.name, vid));
      return vid;
    case VlanMode::Dot1qTunnel:
      if (!in.cvlans.empty() && std::ranges::find(in.cvlans, vid) == in.cvlans.end()) return refuse(fmt::format("{} does not carry customer VLAN {}", in.name, vid));
      return in.tag;
  }
  return std::nullopt;
}

void Pipeline::learn_mac(State& state, std::uint16_t vlan) {
  const Mac source = state.packet.eth_src();
  if (source.multicast()) return;
  session_.learned_macs[{host_index_, state.bridge, vlan, source.value}] = state.in_port();
}

void Pipeline::normal(State& state) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort* in_port = bridge.port(state.in_port());
  const Bundle* in = in_port == nullptr ? nullptr : &bridge.bundles[in_port->bundle];
  if (in == nullptr && state.in_port() != kPortNone) {
    if (!bridge.known_ports) return unknown(state, Reason::DumpMissing, fmt::format("no dump says what port {} of {} is", state.in_port().value, bridge.name), "ovs-vsctl show on " + host_.name);
    return recorder_.stop(state.hop, Verdict::Dropped, Reason::NoSuchPort, "NORMAL: no input bundle");
  }
  if (bridge.row == nullptr) {
    recorder_.assume("ASSUME_NO_VLAN_TAGS", "the OVS database is not there: ports are taken to be trunks of all VLANs");
  }
  std::uint16_t vlan = 0;
  if (in != nullptr) {
    const auto admitted = admit(state, *in);
    if (!admitted) return;
    vlan = *admitted;
  } else if ((state.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) != 0) {
    vlan = static_cast<std::uint16_t>(state.packet.get(FieldId::VlanTci) & 0xfff);
  }
  const Mac destination = state.packet.eth_dst();
  if (reserved_multicast(destination) && (bridge.row == nullptr || !flag_set(bridge.row->other_config, "forward-bpdu"))) {
    return recorder_.stop(state.hop, Verdict::Dropped, Reason::NotForwarded, "packet has reserved destination MAC");
  }
  if (in != nullptr) learn_mac(state, vlan);
  if (destination.multicast()) return normal_flood(state, in, vlan);

  std::optional<Ofport> where;
  Switched step;
  step.vlan = vlan;
  if (const auto learned = session_.learned_macs.find({host_index_, state.bridge, vlan, destination.value}); learned != session_.learned_macs.end()) {
    where = learned->second;
  } else if (const auto known = bridge.fdb.find(Bridge::fdb_key(vlan, destination)); known != bridge.fdb.end()) {
    where = known->second->value.port;
    step.age = known->second->value.age;
    step.at = known->second->at;
  } else if (bridge.dumps == nullptr || !bridge.dumps->fdb.present()) {
    recorder_.assume("ASSUME_FDB_EMPTY", "no dump of a bridge's MAC table: unknown MACs are flooded");
  }
  const BridgePort* out = where ? bridge.port(*where) : nullptr;
  if (out == nullptr) return normal_flood(state, in, vlan);
  const Bundle& bundle = bridge.bundles[out->bundle];
  if (&bundle == in) {
    return recorder_.stop(state.hop, Verdict::Dropped, Reason::NotForwarded, fmt::format("{} was learned on the port that the packet came in by, {}", to_string(destination), out->name), {}, step.at);
  }
  step.port = bundle.name;
  recorder_.step(state.hop, std::move(step));
  normal_output(state, bundle, vlan);
}

void Pipeline::normal_flood(State& state, const Bundle* in, std::uint16_t vlan) {
  const Bridge& bridge = bridge_of(state);
  Switched step;
  step.vlan = vlan;
  std::vector<const Bundle*> to;
  for (const Bundle& bundle : bridge.bundles) {
    if (&bundle == in || !bundle.includes_vlan(vlan) || bundle.ports.empty()) continue;
    const bool floods = std::ranges::none_of(bundle.ports, [&](std::size_t port) { return bridge.ports[port].no_flood; });
    const bool numbered = std::ranges::any_of(bundle.ports, [&](std::size_t port) { return bridge.ports[port].number != kPortNone; });
    if (!floods || !numbered) continue;
    to.push_back(&bundle);
    step.ports.push_back(bundle.name);
  }
  recorder_.step(state.hop, std::move(step));
  if (to.empty()) return recorder_.stop(state.hop, Verdict::Dropped, Reason::FloodEmpty, fmt::format("no other port is in VLAN {}", vlan));
  for (const Bundle* bundle : to) normal_output(state, *bundle, vlan);
}

// Sends with the tag that the port wants; the packet itself stays as it is.
void Pipeline::normal_output(State& state, const Bundle& bundle, std::uint16_t vlan) {
  const Bridge& bridge = bridge_of(state);
  if (bundle.is_protected) {
    const BridgePort* in = bridge.port(state.in_port());
    if (in != nullptr && bridge.bundles[in->bundle].is_protected) return recorder_.note(state.hop, fmt::format("{} and the port it came in by are both protected", bundle.name));
  }
  Packet packet = state.packet;
  const std::uint64_t pcp = packet.get(FieldId::VlanTci) & 0xe000;
  const bool untagged = bundle.mode == VlanMode::Access || vlan == 0 || (bundle.mode == VlanMode::NativeUntagged && vlan == bundle.tag);
  if (bundle.mode == VlanMode::Dot1qTunnel) {
    packet.set(FieldId::VlanTci, packet.get(FieldId::VlanTci1));
  } else if (untagged) {
    const bool priority_tag = bundle.priority_tags == "always" || (bundle.priority_tags == "if-nonzero" && pcp != 0);
    packet.set(FieldId::VlanTci, priority_tag ? pcp | openflow::kVlanPresent : 0);
  } else {
    packet.set(FieldId::VlanTci, pcp | openflow::kVlanPresent | vlan);
  }
  if (bundle.bond()) recorder_.assume("ASSUME_BOND_FIRST_MEMBER", "a bond picks a member by a hash; the first one that is up is taken");
  for (const std::size_t port : bundle.ports) {
    if (bridge.ports[port].number == kPortNone) continue;
    return output_to(state, port, packet);
  }
}

// FLOOD and ALL know nothing of VLANs and of the MAC table.
void Pipeline::flood(State& state, bool all) {
  const Bridge& bridge = bridge_of(state);
  for (std::size_t port = 0; port < bridge.ports.size(); ++port) {
    const BridgePort& out = bridge.ports[port];
    if (out.number == kPortNone || out.number == state.in_port() || (!all && out.no_flood)) continue;
    output_to(state, port, state.packet);
  }
}

}  // namespace dvrtrace
