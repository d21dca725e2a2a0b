// NORMAL, FLOOD and mirrors: the switch inside Open vSwitch (xlate_normal of ofproto-dpif-xlate.c).
#include <fmt/format.h>

#include <algorithm>

#include "tracer/engine/translation.h"

namespace dvrtrace {

using openflow::FieldId;

namespace {

// 01:80:c2:00:00:0x and the vendors' like.
bool reserved_multicast(Mac mac) {
  if ((mac.value & 0xfffffffffff0) == 0x0180c2000000) return true;
  switch (mac.value) {
    case 0x01000ccccccc:
    case 0x01000ccccccd:
    case 0x01000ccdcdcd:
    case 0x01000c000000:
    case 0x00e02b000000:
    case 0x00e02b000004:
    case 0x00e02b000006:
      return true;
    default:
      return false;
  }
}

bool flag_set(const StringMap& map, std::string_view key) {
  const auto found = map.find(key);
  return found != map.end() && found->second == "true";
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// The member of a bond that is in use. Where no dump tells, the one of the least number that is up.
std::size_t active_member(const Bridge& bridge, const Bundle& bond) {
  std::size_t active = kNowhere;
  for (const std::size_t port : bond.ports) {
    const BridgePort& member = bridge.ports[port];
    if (member.number == kPortNone) continue;
    if (bond.state != nullptr) {
      if (member.name == bond.state->active) return port;
    } else if (!member.port_down && !member.link_down &&
               (active == kNowhere || member.number < bridge.ports[active].number)) {
      active = port;
    }
  }
  return active;
}

// The members that a bond may send by.
std::vector<std::size_t> enabled_members(const Bridge& bridge, const Bundle& bond) {
  std::vector<std::size_t> enabled;
  for (const std::size_t port : bond.ports) {
    const BridgePort& member = bridge.ports[port];
    if (member.number == kPortNone) continue;
    bool usable = !member.port_down && !member.link_down;
    if (bond.state != nullptr) {
      const auto known = std::ranges::find(bond.state->members, member.name, &OvsBondMember::name);
      usable = known != bond.state->members.end() && known->enabled;
    }
    if (usable) enabled.push_back(port);
  }
  return enabled;
}

constexpr std::uint16_t kPcp = 0xe000, kVid = 0x0fff;

}  // namespace

// The outer tag and what is below it.
Translation::Vlans Translation::vlans_of(const State& state) const {
  const std::uint64_t tci = state.packet.get(FieldId::VlanTci);
  if ((tci & openflow::kVlanPresent) == 0) return {};
  return {static_cast<std::uint16_t>(tci & kVid), static_cast<std::uint16_t>(tci & kPcp),
          static_cast<std::uint16_t>(state.packet.get(FieldId::VlanTci1))};
}

// Whether the port takes the packet in; if not, and not `quiet`, the packet ends here.
bool Translation::admits(State& state, const Bundle& in, const Vlans& vlans, bool quiet) {
  const auto refuse = [&](std::string text) {
    if (!quiet) stop(state, Verdict::Dropped, Reason::NotAdmitted, std::move(text));
    return false;
  };
  switch (in.mode) {
    case VlanMode::Access:
      return vlans.vid == 0 ||
             refuse(fmt::format("VLAN {} tagged packet received on {}, a port of VLAN {} access mode",
                                vlans.vid, in.name, in.tag));
    case VlanMode::NativeTagged:
    case VlanMode::NativeUntagged:
      if (vlans.vid == 0) return true;
      [[fallthrough]];
    case VlanMode::Trunk:
      return in.trunks_vlan(vlans.vid) ||
             refuse(fmt::format("{} does not trunk VLAN {}", in.name, vlans.vid));
    case VlanMode::Dot1qTunnel:
      return in.cvlans.empty() || std::ranges::find(in.cvlans, vlans.vid) != in.cvlans.end() ||
             refuse(fmt::format("{} does not carry customer VLAN {}", in.name, vlans.vid));
  }
  return false;
}

// The tags that the packet has within the switch.
Translation::Vlans Translation::inward(const Bundle& in, const Vlans& vlans) {
  switch (in.mode) {
    case VlanMode::Access:
      return {in.tag, vlans.pcp, 0};
    case VlanMode::Trunk:
      return vlans;
    case VlanMode::NativeTagged:
    case VlanMode::NativeUntagged:
      return vlans.vid == 0 ? Vlans{in.tag, vlans.pcp, vlans.inner_tci} : vlans;
    case VlanMode::Dot1qTunnel: {
      const bool tagged = vlans.vid != 0 || vlans.pcp != 0;
      return {in.tag, 0,
              static_cast<std::uint16_t>(tagged ? openflow::kVlanPresent | vlans.pcp | vlans.vid : 0)};
    }
  }
  return vlans;
}

void Translation::learn_mac(State& state, std::uint16_t vlan) {
  if (!policy_.side_effects) return;
  const Mac source = state.packet.eth_src();
  if (source.multicast()) return;
  session_.learned_macs[{host_index_, state.bridge, vlan, source.value}] = state.in_port();
}

void Translation::normal(State& state) {
  const Bridge& bridge = bridge_of(state);
  const BridgePort* in_port = bridge.port(state.in_port());
  const Bundle* in = in_port == nullptr ? nullptr : &bridge.bundles[in_port->bundle];
  if (in == nullptr && state.in_port() != kPortNone && state.in_port() != kPortController) {
    if (!bridge.known_ports) {
      unknown(state, Reason::DumpMissing,
              fmt::format("no dump says what port {} of {} is", state.in_port().value, bridge.name),
              "ovs-vsctl show on " + host_.name);
      return;
    }
    return stop(state, Verdict::Dropped, Reason::NoSuchPort, "no input bundle, dropping");
  }
  if (bridge.row == nullptr) {
    assume("ASSUME_NO_VLAN_TAGS", "the OVS database is not there: ports are taken to be trunks of all VLANs");
  }
  const Vlans wire = vlans_of(state);
  if ((state.packet.eth_type() == openflow::kTypeVlan || state.packet.eth_type() == openflow::kTypeQinq) &&
      (state.packet.get(FieldId::VlanTci) & openflow::kVlanPresent) == 0) {
    return stop(state, Verdict::Dropped, Reason::NotForwarded, "dropping packet with partial VLAN tag");
  }
  if (in != nullptr && bridge.reserved_for_mirror(*in)) {
    return stop(
        state, Verdict::Dropped, Reason::NotForwarded,
        fmt::format("dropping packet received on port {}, which is reserved exclusively for mirroring",
                    in->name));
  }
  if (in != nullptr && !admits(state, *in, wire)) return;
  const Vlans vlans = in != nullptr ? inward(*in, wire) : wire;
  const Mac destination = state.packet.eth_dst();
  if (in != nullptr && reserved_multicast(destination) &&
      (bridge.row == nullptr || !flag_set(bridge.row->other_config, "forward-bpdu"))) {
    return stop(state, Verdict::Dropped, Reason::NotForwarded,
                "packet has reserved destination MAC, dropping");
  }
  if (in != nullptr && in->bond() && !bond_admits(state, *in, vlans.vid)) return;
  if (in != nullptr) learn_mac(state, vlans.vid);
  if (destination.multicast()) {
    if (bridge.row != nullptr && bridge.row->mcast_snooping && destination.value != 0xffffffffffff &&
        state.packet.ip())
      return multicast(state, in, vlans);
    return normal_flood(state, in, vlans);
  }

  std::optional<Ofport> where;
  Switched step;
  step.vlan = vlans.vid;
  const bool learning = bridge.row == nullptr || std::ranges::find(bridge.row->flood_vlans, vlans.vid) ==
                                                     bridge.row->flood_vlans.end();
  if (!learning) return normal_flood(state, in, vlans);
  if (const auto learned =
          session_.learned_macs.find({host_index_, state.bridge, vlans.vid, destination.value});
      learned != session_.learned_macs.end()) {
    where = learned->second;
  } else if (const auto known = bridge.fdb.find(Bridge::fdb_key(vlans.vid, destination));
             known != bridge.fdb.end()) {
    where = known->second->value.port;
    step.age = known->second->value.age;
    step.at = known->second->at;
  } else if (bridge.dumps == nullptr || !bridge.dumps->fdb.present()) {
    assume("ASSUME_FDB_EMPTY", "no dump of a bridge's MAC table: unknown MACs are flooded");
  }
  const BridgePort* out = where ? bridge.port(*where) : nullptr;
  if (out == nullptr) return normal_flood(state, in, vlans);
  const Bundle& bundle = bridge.bundles[out->bundle];
  if (bridge.reserved_for_mirror(bundle))
    return stop(state, Verdict::Dropped, Reason::NotForwarded, "learned port is a mirror port, dropping");
  if (&bundle == in) {
    return stop(state, Verdict::Dropped, Reason::NotForwarded,
                fmt::format("{} was learned on the port that the packet came in by, {}",
                            to_string(destination), out->name),
                {}, step.at);
  }
  step.port = bundle.name;
  write(state, std::move(step));
  normal_output(state, bundle, vlans);
}

// With multicast snooping: who asked for a group is not in the dumps of a network.
void Translation::multicast(State& state, const Bundle* in, const Vlans& vlans) {
  const bool v4 = state.packet.eth_type() == openflow::kTypeIpv4;
  const bool local_group =
      v4 ? (state.packet.get(FieldId::IpDst) & 0xffffff00) == 0xe0000000
         : get(state.key(), FieldId::Ipv6Dst) == openflow::Bits128{0xff02000000000000, 1};
  if (local_group) return normal_flood(state, in, vlans);
  unknown(state, Reason::HiddenState,
          "multicast snooping: which ports asked for the group is not in the dumps",
          fmt::format("ovs-appctl mdb/show {} on {}", bridge_of(state).name, host_.name));
}

void Translation::normal_flood(State& state, const Bundle* in, const Vlans& vlans) {
  const Bridge& bridge = bridge_of(state);
  Switched step;
  step.vlan = vlans.vid;
  std::vector<const Bundle*> to;
  for (const Bundle& bundle : bridge.bundles) {
    if (&bundle == in || !bundle.includes(vlans.vid, vlans.inner_tci) || bundle.ports.empty() ||
        bridge.reserved_for_mirror(bundle))
      continue;
    const bool floods = std::ranges::none_of(bundle.ports, [&](std::size_t port) {
      return bridge.ports[port].no_flood || bridge.ports[port].blocked;
    });
    const bool numbered = std::ranges::any_of(
        bundle.ports, [&](std::size_t port) { return bridge.ports[port].number != kPortNone; });
    if (!floods || !numbered) continue;
    to.push_back(&bundle);
    step.ports.push_back(bundle.name);
  }
  write(state, std::move(step));
  if (to.empty())
    return stop(state, Verdict::Dropped, Reason::FloodEmpty,
                fmt::format("no other port is in VLAN {}", vlans.vid));
  for (const Bundle* bundle : to) normal_output(state, *bundle, vlans);
}

// Sends with the tags that the port wants; the packet itself stays as it is.
void Translation::normal_output(State& state, const Bundle& bundle, const Vlans& vlans) {
  const Bridge& bridge = bridge_of(state);
  Packet packet = state.packet;
  Vlans out = vlans;
  const bool untagged =
      bundle.mode == VlanMode::Access || (bundle.mode == VlanMode::NativeUntagged && vlans.vid == bundle.tag);
  if (untagged || bundle.mode == VlanMode::Dot1qTunnel) {
    const std::uint16_t inner = bundle.mode == VlanMode::Access ? std::uint16_t{0} : vlans.inner_tci;
    out = {static_cast<std::uint16_t>(inner & kVid), static_cast<std::uint16_t>(inner & kPcp), 0};
  }
  const bool priority_tag =
      bundle.priority_tags == "always" ||
      ((bundle.priority_tags == "if-nonzero" || bundle.priority_tags == "true") && vlans.pcp != 0);
  std::uint64_t tci = 0, inner_tci = 0;
  if (out.vid != 0 || priority_tag) {
    tci = openflow::kVlanPresent | (priority_tag && out.vid == 0 ? vlans.pcp : out.pcp) | out.vid;
    inner_tci = out.inner_tci;
  }
  packet.set(FieldId::VlanTci, tci);
  packet.set(FieldId::VlanTci1, inner_tci);
  if (tci != 0 && packet.get(FieldId::VlanTpid) == 0) packet.set(FieldId::VlanTpid, openflow::kTypeVlan);
  const std::size_t chosen = bundle.bond() ? bond_member(state, bundle) : bundle.ports.front();
  if (chosen == kNowhere || bridge.ports[chosen].number == kPortNone) return;
  output_to(state, chosen, packet);
}

// bond_check_admissibility() of Open vSwitch: a bond takes in no copies of what it sent itself.
bool Translation::bond_admits(State& state, const Bundle& in, std::uint16_t vlan) {
  const Bridge& bridge = bridge_of(state);
  const OvsBondState* known = in.state;
  const auto refuse = [&](std::string text) {
    stop(state, Verdict::Dropped, Reason::NotForwarded, std::move(text));
    return false;
  };
  const BridgePort& port = *bridge.port(state.in_port());
  const auto member = known == nullptr ? std::vector<OvsBondMember>::const_iterator{}
                                       : std::ranges::find(known->members, port.name, &OvsBondMember::name);
  if (known != nullptr && member == known->members.end())
    known = nullptr;  // the dumps are of different moments
  const auto row = bridge.row == nullptr ? std::vector<OvsPort>::const_iterator{}
                                         : std::ranges::find(bridge.row->ports, in.name, &OvsPort::name);
  const bool configured = bridge.row != nullptr && row != bridge.row->ports.end();
  const std::string mode = known != nullptr ? known->mode : configured ? row->bond_mode : "";
  if (known != nullptr && known->lacp_status == "negotiated") {
    return member->enabled || member->may_enable || refuse("bonding refused admissibility, dropping");
  }
  const bool no_partner = known != nullptr && !known->lacp_fallback &&
                          (known->lacp_status == "configured" || mode == "balance-tcp");
  if (no_partner) return refuse("bonding refused admissibility, dropping");
  const bool active = active_member(bridge, in) == bridge.by_number.at(port.number.value);
  const bool all_active = known != nullptr
                              ? known->all_members_active
                              : configured && (flag_set(row->other_config, "all-members-active") ||
                                               flag_set(row->other_config, "all-slaves-active"));
  const bool backup = mode == "active-backup" || mode == "balance-tcp";
  if (!active && (backup || (state.packet.eth_dst().multicast() && !all_active))) {
    if (known == nullptr) assume_first_member();
    return refuse("bonding refused admissibility, dropping");
  }
  // Only balance-slb is left: what comes back although its sender was learned elsewhere has looped.
  const bool gratuitous =
      state.packet.arp() && state.packet.get(FieldId::ArpSpa) == state.packet.get(FieldId::ArpTpa);
  const auto sender = bridge.fdb.find(Bridge::fdb_key(vlan, state.packet.eth_src()));
  if (backup || sender == bridge.fdb.end() || gratuitous) return true;
  const BridgePort* learned = bridge.port(sender->second->value.port);
  return learned == nullptr || &bridge.bundles[learned->bundle] == &in ||
         refuse("SLB bond thinks this packet looped back, dropping");
}

void Translation::assume_first_member() {
  assume("ASSUME_BOND_FIRST_MEMBER",
         "which member of a bond is used is in no dump; the first one that is up is taken");
}

// The member that sends; kNowhere when none does.
std::size_t Translation::bond_member(State& state, const Bundle& bundle) {
  const Bridge& bridge = bridge_of(state);
  const std::vector<std::size_t> enabled = enabled_members(bridge, bundle);
  const OvsBondState* known = bundle.state;
  const bool lost_partner = known != nullptr && known->lacp_status == "configured";
  const bool refused =
      known != nullptr &&
      ((lost_partner && !known->lacp_fallback) ||
       (!lost_partner && known->mode == "balance-tcp" && known->lacp_status != "negotiated"));
  if (enabled.empty() || refused) {
    note(state, fmt::format("no member of bond {} is up", bundle.name));
    return kNowhere;
  }
  if (known != nullptr && (lost_partner || known->mode == "active-backup"))
    return active_member(bridge, bundle);
  if (enabled.size() > 1 || known == nullptr) assume_first_member();
  return enabled.front();
}

// FLOOD and ALL know nothing of VLANs and of the MAC table.
void Translation::flood(State& state, bool all) {
  const Bridge& bridge = bridge_of(state);
  // A mirror takes one copy, as the first port that it looks at sends it, and ports may differ in their VLAN.
  if (bridge.row != nullptr && std::ranges::any_of(bridge.row->mirrors, [](const OvsMirror& mirror) {
        return mirror.select_all || !mirror.select_dst.empty();
      })) {
    assume("ASSUME_FLOOD_ORDER",
           "in which order FLOOD and ALL send only the switch knows; which of the copies a mirror takes may "
           "differ");
  }
  for (std::size_t port = 0; port < bridge.ports.size(); ++port) {
    const BridgePort& out = bridge.ports[port];
    if (out.number == kPortNone || out.number == state.in_port() || (!all && out.no_flood)) continue;
    output_to(state, port, state.packet, all ? SpanningTree::Ignore : SpanningTree::Obey);
  }
}

void Translation::mirror_arrival(State& state) {
  const Bridge& bridge = bridge_of(state);
  if (const BridgePort* in = bridge.port(state.in_port()))
    mirror(state, bridge.bundles[in->bundle], state.packet, false);
}

// Copies for the mirrors that select the bundle as a source or, with `egress`, as a destination;
// each mirror copies a packet once.
void Translation::mirror(State& state, const Bundle& bundle, const Packet& packet, bool egress) {
  const Bridge& bridge = bridge_of(state);
  if (bridge.row == nullptr || bridge.row->mirrors.empty()) return;
  const auto& mirrors = bridge.row->mirrors;
  State copy;
  for (std::size_t i = 0; i < mirrors.size() && i < 32; ++i) {
    const OvsMirror& mirror = mirrors[i];
    const std::uint32_t bit = std::uint32_t{1} << i;
    if ((mirrored_ & bit) != 0) continue;
    if (!mirror.select_all && !among(egress ? mirror.select_dst : mirror.select_src, bundle.name)) continue;
    copy = state;
    copy.packet = packet;
    const Vlans wire = vlans_of(copy);
    if (!admits(copy, bundle, wire, true)) return;
    Vlans vlans = inward(bundle, wire);
    if (!mirror.select_vlans.empty() &&
        std::ranges::find(mirror.select_vlans, vlans.vid) == mirror.select_vlans.end())
      continue;
    for (std::size_t j = 0; j < mirrors.size() && j < 32; ++j) {  // and those with the same output
      if (mirrors[j].output_port == mirror.output_port && mirrors[j].output_vlan == mirror.output_vlan)
        mirrored_ |= std::uint32_t{1} << j;
    }
    note(state, fmt::format("mirror {} takes a copy", mirror.name));
    if (!mirror.output_port.empty()) {
      const auto out = std::ranges::find(bridge.bundles, mirror.output_port, &Bundle::name);
      if (out != bridge.bundles.end()) normal_output(copy, *out, vlans);
    } else if (mirror.output_vlan && *mirror.output_vlan != vlans.vid &&
               !reserved_multicast(packet.eth_dst())) {
      vlans.vid = *mirror.output_vlan;
      for (const Bundle& out : bridge.bundles) {
        if (out.includes(vlans.vid, vlans.inner_tci) && !bridge.reserved_for_mirror(out))
          normal_output(copy, out, vlans);
      }
    }
  }
}

}  // namespace dvrtrace
